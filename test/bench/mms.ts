import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { CAUSE_CLASSES, type CauseClass, CLASSES } from "../../aggregator/mms/causes.ts";
import { scoreModels } from "../../aggregator/mms/likelihood.ts";
import { UNREFINED } from "../../aggregator/mms/refinement.ts";
import { trackDynamics } from "../../aggregator/mms/score-dynamics.ts";
import { boundsFor } from "../../aggregator/mms/sequential.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { rowBuffer } from "../../shared/ims/rows.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { trainHealth } from "../../shared/ims/train-health.ts";
import { progressBar } from "../../sim/progress.ts";
import { RACKS } from "./fault-schedule.ts";
import { runDay, WINDOW_S } from "./fault-windows.ts";
import {
  CHAINS,
  type Chain,
  type EventOutcome,
  type Instance,
  type Learnt,
  type MmsDayResult,
} from "./mms-day.ts";
import { fitCauses, parametersModule } from "./mms-fit.ts";
import { type BenchOptions, seedList } from "./options.ts";

/** Held out: constants, and what causes look like, were chosen on FIT_SEEDS. */
const DEFAULT_SEEDS = "1-20";
const FIT_SEEDS = "101-112";
/** A day without faults to learn from. */
const TRAINING_SEED = 9001;
const TRAINING_TICK_S = 60;
const WORKERS = 2;
const ACCURACY_GOAL = 0.9;
const PARAMETERS_FILE = new URL("../../aggregator/mms/cause-parameters.ts", import.meta.url);

/** MMS on labelled faults: the described filter against the likelihood ratio, causes, and incidents. */
export async function benchMms(options: BenchOptions): Promise<void> {
  const started = performance.now();
  const seeds = options.seeds ?? seedList(options.fit ? FIT_SEEDS : DEFAULT_SEEDS);
  const learnt = learn();
  if (options.fit) {
    const instances = (await runSeeds<Instance[]>(seeds, learnt, true)).flat();
    const about = `faults of seeds ${seeds[0]} to ${seeds.at(-1)} of the simulator's plant, two of each kind a day`;
    writeFileSync(PARAMETERS_FILE, parametersModule(fitCauses(instances), about));
    console.log(`written from ${instances.length} looks; run biome on it`);
    return;
  }
  const results = await runSeeds<MmsDayResult>(seeds, learnt, false);
  results.sort((a, b) => a.seed - b.seed);
  const figures = figuresOf(results, (performance.now() - started) / 1000);
  report(learnt, results, figures);
  if (options.json) console.log(JSON.stringify(figures));
}

function learn(): Learnt {
  const { mms, incidents, limits } = AggregatorConfig.parse({});
  const rows = rowBuffer();
  const series = RACKS.map(() => rowBuffer(FEATURES.length, 1 << 14));
  runDay(TRAINING_SEED, [], (rack, end_s, x) => {
    series[rack]!.push(x);
    if (end_s % TRAINING_TICK_S === 0) rows.push(x);
  });
  const about = { limits, data: `plant, seed ${TRAINING_SEED}, 24 h nominal`, created_ms: 0 };
  const model = trainModel(rows.matrix(), { ...about, clusters: 8, seed: 42 });
  const matrices = series.map((s) => s.matrix());
  const dynamics = trackDynamics(model.distributions.nominal.log_mean);
  const scorer = createScorer(model);
  for (const [i, matrix] of matrices.entries()) {
    for (let at = 0; at < matrix.length; at += FEATURES.length) {
      dynamics.add(RACKS[i]!, Math.log(scorer.score(matrix.subarray(at, at + FEATURES.length)).d));
    }
  }
  const models = scoreModels(model.distributions, dynamics.dynamics(), UNREFINED);
  const scores_per_day = (86_400 / WINDOW_S) * models.effective_share;
  return {
    model,
    health: trainHealth(matrices, about),
    models,
    bounds: boundsFor({ ...mms, scores_per_day }),
    filter: mms,
    book: incidents,
    limit_c: limits.inlet_c,
  };
}

async function runSeeds<T>(seeds: readonly number[], learnt: Learnt, fit: boolean): Promise<T[]> {
  const waiting = [...seeds];
  const results: T[] = [];
  const bar = progressBar("mms", seeds.length, true);
  const lane = async () => {
    const worker = new Worker(new URL("./mms-worker.ts", import.meta.url), { workerData: { learnt, fit } });
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      worker.postMessage(seed);
      results.push(await answer<T>(worker));
      bar.update(results.length);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: WORKERS }, lane));
  bar.stop();
  return results;
}

function answer<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once("message", (result: T) => {
      worker.off("error", reject);
      resolve(result);
    });
    worker.once("error", reject);
  });
}

/** The simulator's own faults, as in the faults bench; the two regimes are counted apart. */
const isFault = ({ kind }: EventOutcome) => kind !== "overcooled" && kind !== "under_utilized";

function figuresOf(results: readonly MmsDayResult[], seconds: number) {
  const outcomes = results.flatMap((result) => result.outcomes);
  const rack_days = results.length * RACKS.length;
  const chains = Object.fromEntries(
    CHAINS.map((chain) => {
      const events = outcomes.filter(isFault);
      const delays = events.flatMap(({ delay_s }) => delay_s[chain] ?? []);
      const false_alarms = results.reduce((sum, result) => sum + result.false_alarms[chain], 0);
      return [
        chain,
        {
          found: delays.length,
          of: events.length,
          recall: delays.length / events.length,
          false_alarms,
          false_alarms_per_rack_day: false_alarms / rack_days,
          median_delay_s: quantile(delays, 0.5),
          p90_delay_s: quantile(delays, 0.9),
        },
      ];
    }),
  );
  const named = outcomes.flatMap(({ kind, incidents }) => (incidents[0] ? [{ kind, ...incidents[0] }] : []));
  const sameCause = ({ kind, named: name }: (typeof named)[number]) =>
    name !== null && CLASSES[name].cause === CLASSES[kind].cause;
  const rows = outcomes.filter(({ racks }) => racks > 1);
  return {
    seeds: results.map(({ seed }) => seed),
    rack_days,
    chains,
    events: outcomes.length,
    named: named.length,
    cause_accuracy: named.filter(sameCause).length / named.length,
    class_accuracy: named.filter(({ kind, named: name }) => kind === name).length / named.length,
    mean_confidence: named.reduce((sum, { confidence }) => sum + confidence, 0) / named.length,
    row_faults: rows.length,
    row_faults_with_one_incident: rows.filter(({ incidents }) => incidents.length === 1).length,
    incidents: results.reduce((sum, result) => sum + result.incidents, 0),
    false_incidents_per_rack_day:
      results.reduce((sum, { false_incidents }) => sum + false_incidents, 0) / rack_days,
    events_with_several_incidents: outcomes.filter(({ incidents }) => incidents.length > 1).length,
    confusion: Object.fromEntries(CAUSE_CLASSES.map((kind) => [kind, tally(outcomes, kind)])),
    seconds,
  };
}

/** What the first incident of each event of a kind said. */
function tally(outcomes: readonly EventOutcome[], kind: CauseClass): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { incidents } of outcomes.filter((outcome) => outcome.kind === kind)) {
    const name = incidents.length === 0 ? "none" : (incidents[0]!.named ?? "other");
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function quantile(values: readonly number[], q: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * q)] ?? null;
}

function report(
  learnt: Learnt,
  results: readonly MmsDayResult[],
  figures: ReturnType<typeof figuresOf>,
): void {
  const { nominal_log_mean, anomalous_log_mean, log_std, effective_share } = learnt.models;
  console.log(
    `${results.length} days of ${RACKS.length} racks; D nominal ≤ ${Math.exp(nominal_log_mean).toFixed(2)}, anomalous ` +
      `${Math.exp(anomalous_log_mean).toFixed(2)}, spread of ln D ${log_std.toFixed(3)}, ${effective_share.toFixed(2)} ` +
      `independent scores per score; alarm at ${learnt.bounds.alarm.toFixed(1)}, clear at ${learnt.bounds.clear.toFixed(1)}\n`,
  );
  console.log("| chain | found | recall | false alarms | per rack-day | median delay | p90 |");
  console.log("|---|---:|---:|---:|---:|---:|---:|");
  for (const chain of CHAINS) {
    const c = figures.chains[chain]!;
    console.log(
      `| ${chain} | ${c.found}/${c.of} | ${c.recall.toFixed(3)} | ${c.false_alarms} | ` +
        `${c.false_alarms_per_rack_day.toFixed(4)} | ${c.median_delay_s} s | ${c.p90_delay_s} s |`,
    );
  }
  const outcomes = results.flatMap((result) => result.outcomes);
  console.log(`\n| found (median delay) | n | ${CHAINS.join(" | ")} |`);
  console.log(`|---|---:|${CHAINS.map(() => "---:|").join("")}`);
  for (const kind of CAUSE_CLASSES) {
    const mine = outcomes.filter((outcome) => outcome.kind === kind);
    console.log(`| ${kind} | ${mine.length} | ${CHAINS.map((chain) => foundOf(mine, chain)).join(" | ")} |`);
  }
  const columns = [...CAUSE_CLASSES, "other", "none"];
  console.log(`\n| was, down; named, across | ${columns.join(" | ")} |`);
  console.log(`|---|${columns.map(() => "---:|").join("")}`);
  for (const kind of CAUSE_CLASSES) {
    console.log(`| ${kind} | ${columns.map((name) => figures.confusion[kind]![name] ?? "").join(" | ")} |`);
  }
  console.log(
    `\ncause right ${figures.cause_accuracy.toFixed(3)} (goal ≥ ${ACCURACY_GOAL}), sub-cause too ` +
      `${figures.class_accuracy.toFixed(3)}, of ${figures.named} events with an incident; mean confidence ` +
      `${figures.mean_confidence.toFixed(3)}`,
  );
  console.log(
    `row faults with exactly one incident: ${figures.row_faults_with_one_incident} of ${figures.row_faults}; events with ` +
      `several: ${figures.events_with_several_incidents}; incidents without an event: ` +
      `${figures.false_incidents_per_rack_day.toFixed(4)} per rack-day`,
  );
  for (const note of results.flatMap(({ notes }) => notes)) console.log(`false: ${note}`);
  console.log(`\n${figures.seconds.toFixed(0)} s on ${WORKERS} threads`);
}

function foundOf(outcomes: readonly EventOutcome[], chain: Chain): string {
  const delays = outcomes.flatMap(({ delay_s }) => delay_s[chain] ?? []);
  return `${delays.length} (${quantile(delays, 0.5) ?? "–"} s)`;
}
