import Table from "cli-table3";
import { estimateSaving, type SavingsReport } from "../../aggregator/savings/estimate.ts";
import { AggregatorConfig, type SavingsConfig } from "../../shared/contracts/config.ts";
import { racksOf } from "../../shared/contracts/rack.ts";
import { progressBar } from "../../sim/progress.ts";
import type { BenchOptions } from "./options.ts";
import { scriptedPolicy } from "./savings/policy.ts";
import { type RunInterval, runPlantIntervals } from "./savings/runs.ts";

const RACKS = racksOf(["A", "B", "C", "D", "E", "F"], 12);
const START_MS = Date.UTC(2026, 0, 15);
const INTERVALS_PER_DAY = 96;
/** Blocks of four hours; each hour of the day is on every other day. */
const BLOCK = 16;
const ERROR_GOAL_PCT = 3;

interface Case {
  seed: number;
  design: "matched_regression" | "switchback" | "placebo";
  plant: "right" | "wrong";
  window: string;
  true_pct: number;
  estimate_pct: number;
  interval_pct: [number, number];
  error_points: number;
  covered: boolean;
}

/** How near the aggregator's estimate of the realized saving comes to the plant's own energy books. */
export async function benchSavings(options: BenchOptions = {}): Promise<void> {
  const { days = 4, seeds = [1, 2, 3], json = false } = options;
  const started = performance.now();
  const intervals = days * INTERVALS_PER_DAY;
  const bar = progressBar("savings", 3 * seeds.length * intervals, true);
  let done = 0;
  const cases: Case[] = [];
  for (const seed of seeds) {
    const run = (driven: (k: number) => boolean) =>
      runPlantIntervals({
        ...{ rack_ids: RACKS, seed, start_ms: START_MS, intervals, driven, policy: scriptedPolicy },
        configs: [RIGHT, WRONG],
        onInterval: () => bar.update(++done),
      });
    const plain = run(() => false);
    const half = intervals / 2;
    const later = run((k) => k >= half);
    const switched = run((k) => (Math.floor(k / BLOCK) + Math.floor(k / INTERVALS_PER_DAY)) % 2 === 1);
    const designs = [
      { design: "matched_regression", optimised: later, from: half },
      { design: "switchback", optimised: switched, from: 0 },
      { design: "placebo", optimised: plain, from: half },
    ] as const;
    for (const design of designs) cases.push(...judge({ seed, plain, ...design }));
    await new Promise(setImmediate);
  }
  bar.stop();
  report(cases, (performance.now() - started) / 1000, { days, seeds }, json);
}

const RIGHT = AggregatorConfig.parse({}).savings;
/** What an operator may have got wrong: COPs by 15 and 20 %, their slope by a third, pumps by 25 %. */
const WRONG: SavingsConfig = {
  ...RIGHT,
  air_cop: RIGHT.air_cop * 0.85,
  water_cop: RIGHT.water_cop * 1.2,
  cop_per_k: RIGHT.cop_per_k * 0.67,
  pump_full_kw: RIGHT.pump_full_kw * 1.25,
};

interface Judged {
  seed: number;
  design: Case["design"];
  plain: readonly RunInterval[];
  optimised: readonly RunInterval[];
  from: number;
}

/** The whole window, and for the matched design every day of it, for more cases of the interval's coverage. */
function judge({ seed, design, plain, optimised, from }: Judged): Case[] {
  const windows = [{ window: "all", at: from, to: optimised.length }];
  if (design !== "switchback") {
    for (let at = from; at + INTERVALS_PER_DAY <= optimised.length; at += INTERVALS_PER_DAY) {
      windows.push({ window: `day ${at / INTERVALS_PER_DAY + 1}`, at, to: at + INTERVALS_PER_DAY });
    }
  }
  return (["right", "wrong"] as const).flatMap((plant, c) =>
    windows.map(({ window, at, to }) => {
      const known = optimised.map(({ telemetry }) => telemetry[c]!);
      const pretended = design === "placebo";
      const training = pretended ? known.slice(0, from) : known;
      const judged = known.slice(at, to).map((i) => (pretended ? { ...i, driven_share: 1 } : i));
      const estimate = estimateOf(estimateSaving(training, judged));
      const counted = judged
        .map((interval, i) => (interval.driven_share > 0 ? at + i : -1))
        .filter((i) => i >= 0);
      const sum = (run: readonly RunInterval[]) => counted.reduce((total, i) => total + run[i]!.true_kwh, 0);
      const true_pct = 100 * (1 - sum(optimised) / sum(plain));
      const [low, high] = estimate.saved_pct_interval;
      return {
        ...{ seed, design, plant, window, true_pct, estimate_pct: estimate.saved_pct },
        interval_pct: [low, high] as [number, number],
        error_points: estimate.saved_pct - true_pct,
        covered: low <= true_pct && true_pct <= high,
      };
    }),
  );
}

function estimateOf({ estimate, warnings }: SavingsReport) {
  if (!estimate) throw new RangeError(`no estimate: ${warnings.join("; ")}`);
  return estimate;
}

function report(cases: Case[], seconds: number, about: object, json: boolean): void {
  const style = { head: [], border: [] };
  const head = [
    "plant described",
    "design",
    "seed",
    "window",
    "true %",
    "estimate %",
    "95 % interval",
    "error",
  ];
  const table = new Table({ head, style });
  for (const c of cases) {
    const [low, high] = c.interval_pct;
    const bounds = `${low.toFixed(2)} to ${high.toFixed(2)}${c.covered ? "" : " MISSED"}`;
    const figures = [c.true_pct.toFixed(2), c.estimate_pct.toFixed(2), bounds, c.error_points.toFixed(2)];
    table.push([c.plant, c.design, c.seed, c.window, ...figures]);
  }
  console.log(table.toString());
  const summary = (["right", "wrong"] as const).map((plant) => {
    const own = cases.filter((c) => c.plant === plant);
    const worst = Math.max(...own.map((c) => Math.abs(c.error_points)));
    const covered = own.filter((c) => c.covered).length;
    const relative = own
      .filter((c) => c.design !== "placebo")
      .map((c) => Math.abs(c.error_points) / Math.abs(c.true_pct));
    return {
      plant,
      worst_error_points: worst,
      within_goal: worst <= ERROR_GOAL_PCT,
      worst_share_of_saving: Math.max(...relative),
      covered,
      of: own.length,
    };
  });
  for (const { plant, worst_error_points, worst_share_of_saving, covered, of } of summary) {
    console.log(
      `savings: plant described ${plant}ly: largest error ${worst_error_points.toFixed(2)} points ` +
        `(goal ≤ ${ERROR_GOAL_PCT}), ${(100 * worst_share_of_saving).toFixed(1)} % of the saving; the 95 % interval held the truth in ${covered} of ${of} cases`,
    );
  }
  const { user, system } = process.cpuUsage();
  const cpu_seconds = (user + system) / 1e6;
  console.log(`savings: ${seconds.toFixed(0)} s, ${cpu_seconds.toFixed(0)} s of one core`);
  if (json) console.log(JSON.stringify({ bench: "savings", ...about, seconds, cpu_seconds, summary, cases }));
}
