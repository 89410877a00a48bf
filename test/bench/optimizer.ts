import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { progressBar } from "../../sim/progress.ts";
import { RACKS } from "./fault-schedule.ts";
import { type Bound, coolingBound } from "./optimizer/bound.ts";
import { type KeptResults, keptResults } from "./optimizer/kept-results.ts";
import { trainHallModel } from "./optimizer/model.ts";
import { type PlanTime, planTime } from "./optimizer/plan-times.ts";
import {
  FIXED,
  FIXED_FOR_PEAK,
  MARGINS,
  POLICIES,
  type PolicyName,
  REFERENCES,
} from "./optimizer/policies.ts";
import type { Job, JobResult } from "./optimizer/worker.ts";
import { type BenchOptions, seedList } from "./options.ts";

const DEFAULT_SEEDS = "1-5";
const WORKERS = Math.min(6, availableParallelism());
const TOKENS_PER_PROMPT = AggregatorConfig.parse({}).kpi.tokens_per_prompt;
const SAVING_GOAL = 0.3;
const ORACLE_SHARE_GOAL = 0.8;
/** Inlet and p95: the limits themselves, half-way, and the margins that noise forces on everyone. */
const BOUND_LIMITS = [
  [28, 250],
  [25.3, 213],
  [MARGINS.inlet_max_c, MARGINS.latency_max_ms],
] as const;
const PLAN_SIZES = [
  { racks: 72, goal_ms: 150 },
  { racks: 2_000, goal_ms: 10_000 },
];

interface Figures {
  policy: PolicyName;
  seed: number | "all";
  total_kwh: number;
  cooling_kwh: number;
  wh_per_prompt: number;
  cooling_wh_per_prompt: number;
  inlet_compliance: number;
  p95_compliance: number;
  actions_per_rack_day: number;
  guardrail_actions_per_rack_day: number;
  false_episodes_per_rack_day: number;
  deferred_share: number;
}

/** Policies side by side on the closed-loop plant, with faults, through the agents' own guardrail. */
export async function benchOptimizer(options: BenchOptions): Promise<void> {
  const { days = 2, seeds = seedList(DEFAULT_SEEDS), json, resume } = options;
  const started = performance.now();
  process.stderr.write("optimizer: learning the hall's IMS model (three days, accelerated)\n");
  const model = await trainHallModel(true);
  const times: (PlanTime & { goal_ms: number })[] = [];
  for (const { racks, goal_ms } of PLAN_SIZES) times.push({ ...(await planTime(racks, model)), goal_ms });
  const bounds = BOUND_LIMITS.map(([inlet_c, p95_ms]) => coolingBound(inlet_c, p95_ms));
  // Seed by seed, the longest job of each first, so that no thread is left alone with one at the end.
  const slowest_first = ["ours" as const, ...POLICIES.filter((policy) => policy !== "ours")];
  const jobs = [
    ...seeds.flatMap((seed) => slowest_first.map((policy): Job => ({ policy, seed, days }))),
    ...REFERENCES.map((policy): Job => ({ policy, seed: seeds[0]!, days })),
  ];
  const kept = keptResults(resume ?? null, { days, model_sha256: model.sha256 });
  const resumed = jobs.filter((job) => kept.find(job)).length;
  const results = await runJobs(jobs, model, kept);
  const seconds = (performance.now() - started) / 1000;
  const per_seed = results.map(figuresOf);
  const overall = POLICIES.map((policy) => averaged(per_seed.filter((f) => f.policy === policy)));
  const verdict = verdictOf(per_seed, overall);
  report({ days, seeds, model, times, bounds, per_seed, overall, verdict, results, seconds, resumed });
  if (json) {
    const prediction = results.filter(({ policy }) => policy === "ours");
    const quality = prediction.map(({ seed, quality, notes }) => ({ seed, ...quality, notes }));
    console.log(
      JSON.stringify({
        ...{
          bench: "optimizer",
          days,
          seeds,
          seconds,
          plan_times: times,
          bounds,
          verdict,
          overall,
          per_seed,
        },
        prediction: quality,
        runs: results.map(({ policy, seed, result }) => ({ policy, seed, ...result })),
      }),
    );
  }
}

async function runJobs(jobs: readonly Job[], model: ModelFile, kept: KeptResults): Promise<JobResult[]> {
  const results = jobs.flatMap((job) => kept.find(job) ?? []);
  const waiting = jobs.filter((job) => !kept.find(job));
  const total = waiting.reduce((sum, { days }) => sum + 24 * days, 0);
  const bar = progressBar("optimizer", total, true);
  let hours = 0;
  const lane = async () => {
    const worker = new Worker(new URL("./optimizer/worker.ts", import.meta.url), { workerData: { model } });
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const result = await run(worker, job, () => {
        hours++;
        bar.update(hours);
      });
      kept.keep(result);
      results.push(result);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: WORKERS }, lane));
  bar.stop();
  const order: readonly PolicyName[] = [...POLICIES, ...REFERENCES];
  const rank = ({ policy, seed }: Job) => seed * order.length + order.indexOf(policy);
  return results.sort((a, b) => rank(a) - rank(b));
}

function run(worker: Worker, job: Job, onHour: () => void): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: JobResult | "hour") => {
      if (message === "hour") return onHour();
      worker.off("message", onMessage);
      worker.off("error", reject);
      resolve(message);
    };
    worker.on("message", onMessage);
    worker.once("error", reject);
    worker.postMessage(job);
  });
}

function figuresOf({ policy, seed, result }: JobResult): Figures {
  const prompts = result.tokens / TOKENS_PER_PROMPT;
  return {
    ...{ policy, seed },
    total_kwh: result.total_kwh,
    cooling_kwh: result.cooling_kwh,
    wh_per_prompt: (1000 * result.total_kwh) / prompts,
    cooling_wh_per_prompt: (1000 * result.cooling_kwh) / prompts,
    inlet_compliance: result.inlet_compliance,
    p95_compliance: result.p95_compliance,
    actions_per_rack_day: result.optimizer_actions_per_rack_day,
    guardrail_actions_per_rack_day: result.guardrail_actions_per_rack_day,
    false_episodes_per_rack_day: result.false_episodes_per_rack_day,
    deferred_share: result.deferred_tokens / (result.tokens + result.deferred_tokens),
  };
}

function averaged(figures: readonly Figures[]): Figures {
  const mean = { ...figures[0]!, seed: "all" as const };
  for (const key of Object.keys(mean) as (keyof Figures)[]) {
    if (key === "policy" || key === "seed") continue;
    mean[key] = figures.reduce((sum, f) => sum + f[key], 0) / figures.length;
  }
  return mean;
}

type Saving = Record<"described" | "ours" | "oracle", number>;

interface Verdict {
  /** Of the cooling energy of fixed setpoints; per prompt, so that work put off saves nothing. */
  cooling_saving: Saving;
  /** The same of other operations without an optimizer, on the first seed. */
  cooling_saving_of: Record<(typeof REFERENCES)[number], Saving>;
  share_of_oracle: number;
  /** In cooling energy and in the total. */
  beats_described_on_every_seed: boolean;
  /** Each alone; the oracle, which keeps p95, tells what of them is possible. */
  below_described_on_every_seed: Record<"ours" | "oracle", { cooling: boolean; total: boolean }>;
  inlet_not_below_fixed: boolean;
  p95_not_below_fixed: boolean;
  false_episodes_not_above_fixed: boolean;
}

function verdictOf(per_seed: readonly Figures[], overall: readonly Figures[]): Verdict {
  const of = (policy: PolicyName) => overall.find((f) => f.policy === policy)!;
  const savings = (figures: readonly Figures[], baseline: Figures): Saving => {
    const saving = (policy: keyof Saving) =>
      1 - figures.find((f) => f.policy === policy)!.cooling_wh_per_prompt / baseline.cooling_wh_per_prompt;
    return { described: saving("described"), ours: saving("ours"), oracle: saving("oracle") };
  };
  const cooling_saving = savings(overall, of("fixed"));
  const cooling_saving_of = Object.fromEntries(
    REFERENCES.map((policy) => {
      const reference = per_seed.find((f) => f.policy === policy)!;
      return [
        policy,
        savings(
          per_seed.filter(({ seed }) => seed === reference.seed),
          reference,
        ),
      ];
    }),
  ) as Verdict["cooling_saving_of"];
  const isBelow = (policy: "ours" | "oracle", field: "wh_per_prompt" | "cooling_wh_per_prompt") =>
    per_seed
      .filter((f) => f.policy === policy)
      .every((f) => {
        const other = per_seed.find((o) => o.policy === "described" && o.seed === f.seed)!;
        return f[field] < other[field];
      });
  const below = (policy: "ours" | "oracle") => ({
    cooling: isBelow(policy, "cooling_wh_per_prompt"),
    total: isBelow(policy, "wh_per_prompt"),
  });
  const below_described_on_every_seed = { ours: below("ours"), oracle: below("oracle") };
  const { cooling, total } = below_described_on_every_seed.ours;
  return {
    cooling_saving,
    cooling_saving_of,
    share_of_oracle: cooling_saving.ours / cooling_saving.oracle,
    beats_described_on_every_seed: cooling && total,
    below_described_on_every_seed,
    inlet_not_below_fixed: of("ours").inlet_compliance >= of("fixed").inlet_compliance,
    p95_not_below_fixed: of("ours").p95_compliance >= of("fixed").p95_compliance,
    false_episodes_not_above_fixed:
      of("ours").false_episodes_per_rack_day <= of("fixed").false_episodes_per_rack_day,
  };
}

function report(all: {
  days: number;
  seeds: readonly number[];
  model: ModelFile;
  times: readonly (PlanTime & { goal_ms: number })[];
  bounds: readonly Bound[];
  per_seed: readonly Figures[];
  overall: readonly Figures[];
  verdict: Verdict;
  results: readonly JobResult[];
  seconds: number;
  resumed: number;
}): void {
  const { days, seeds, model, times, bounds, per_seed, overall, verdict, results, seconds, resumed } = all;
  console.log(
    `optimizer: ${RACKS.length} racks, ${days} days, seeds ${seeds.join(", ")}, two faults of every kind a day; ` +
      `fixed: fan ${FIXED.fan_rpm_pct} %, pump ${FIXED.pump_rpm_pct} %; fixed for the peak: fan ${FIXED_FOR_PEAK.fan_rpm_pct} %, ` +
      `pump ${FIXED_FOR_PEAK.pump_rpm_pct} %; automatic: the racks' own curves; all with supply 19.4 °C; IMS tau_fast ${model.tau_fast.toFixed(2)}, tau_persist ${model.tau_persist.toFixed(2)}\n`,
  );
  console.log(
    "| seed | policy | total kWh | cooling kWh | Wh/prompt | cooling Wh/prompt | inlet < 28 °C | p95 < 250 ms | actions/rack-day | guardrail/rack-day | false episodes/rack-day | deferred |",
  );
  console.log("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
  for (const f of [...per_seed, ...overall]) console.log(tableRow(f));
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  console.log("");
  for (const policy of ["described", "ours", "oracle"] as const) {
    const { automatic, fixed_for_peak } = verdict.cooling_saving_of;
    console.log(
      `${policy}: cooling + fan + pump energy per prompt ${percent(verdict.cooling_saving[policy])} below fixed setpoints; ` +
        `on seed ${seeds[0]} ${percent(automatic[policy])} below the racks' own curves, ${percent(fixed_for_peak[policy])} below setpoints fixed for the peak`,
    );
  }
  console.log(
    `ours against fixed setpoints: goal ≥ ${percent(SAVING_GOAL)}; share of the oracle's saving ${percent(verdict.share_of_oracle)} (goal ≥ ${percent(ORACLE_SHARE_GOAL)})`,
  );
  console.log(
    `below the described policy on every seed: ${(["ours", "oracle"] as const)
      .map((policy) => {
        const { cooling, total } = verdict.below_described_on_every_seed[policy];
        return `${policy} in cooling energy ${cooling}, in the total ${total}`;
      })
      .join("; ")}`,
  );
  console.log(
    `inlet compliance not below fixed: ${verdict.inlet_not_below_fixed}, p95: ${verdict.p95_not_below_fixed}, false episodes not above: ${verdict.false_episodes_not_above_fixed}`,
  );
  for (const { inlet_max_c, latency_max_ms, of_fixed, of_fixed_for_peak } of bounds) {
    console.log(
      `the plant's equations up to ${inlet_max_c} °C and ${latency_max_ms} ms, without faults, noise or guardrail: at most ` +
        `${percent(of_fixed)} below fixed setpoints, ${percent(of_fixed_for_peak)} below setpoints fixed for the peak`,
    );
  }
  for (const { racks, first_ms, median_ms, columns, goal_ms } of times) {
    console.log(
      `plan for ${racks} racks: first ${first_ms.toFixed(0)} ms, then ${median_ms.toFixed(0)} ms (median; goal < ${goal_ms}), ${columns} columns`,
    );
  }
  for (const { policy, seed, quality, notes } of results) {
    if (policy !== "ours" || !quality || !notes) continue;
    const ten = quality.ten_minutes;
    const errors = (e: typeof quality.one_step) =>
      `inlet ${e.inlet_c.toFixed(2)} °C, outlet ${e.outlet_c.toFixed(2)} °C, power ${e.pdu_kw.toFixed(2)} kW, p95 ${e.latency_p95_ms.toFixed(1)} ms`;
    console.log(
      `seed ${seed}: RMS error one minute ahead: ${errors(quality.one_step)}; ten minutes ahead: ${ten ? errors(ten) : "none due"}; ` +
        `fallback in ${notes.fallback_ticks} of ${notes.ticks} ticks, a limit out of reach in ${notes.infeasible_ticks}; ` +
        `taken back for their effect: ${notes.rollbacks ?? 0}, because D rose: ${notes.handed_back ?? 0}`,
    );
  }
  const before = resumed > 0 ? `; ${resumed} of ${results.length} runs were finished before` : "";
  console.log(`${seconds.toFixed(0)} s on ${WORKERS} threads${before}`);
}

function tableRow(f: Figures): string {
  const share = (x: number) => `${(100 * x).toFixed(3)} %`;
  return `| ${[
    f.seed,
    f.policy,
    f.total_kwh.toFixed(0),
    f.cooling_kwh.toFixed(0),
    f.wh_per_prompt.toFixed(4),
    f.cooling_wh_per_prompt.toFixed(4),
    share(f.inlet_compliance),
    share(f.p95_compliance),
    f.actions_per_rack_day.toFixed(1),
    f.guardrail_actions_per_rack_day.toFixed(1),
    f.false_episodes_per_rack_day.toFixed(3),
    share(f.deferred_share),
  ].join(" | ")} |`;
}
