import { Worker } from "node:worker_threads";
import { progressBar } from "../../sim/progress.ts";
import { SEASON_K } from "../../sim/scenarios/season-shift.ts";
import { RACKS } from "./fault-schedule.ts";
import type { BenchOptions } from "./options.ts";
import { CASES, type Case, type HallResult } from "./season/hall.ts";

const DEFAULT_SEEDS = [1, 2, 3, 4];
const WORKERS = 2;
const FALSE_ALARMS_GOAL = 0.05;

/** A warm season over healthy halls: false alarms and faults found with the old model, and with the one retrained. */
export async function benchSeason(options: BenchOptions): Promise<void> {
  const started = performance.now();
  const halls = await runHalls(options.seeds ?? DEFAULT_SEEDS);
  halls.sort((a, b) => a.seed - b.seed);
  const figures = figuresOf(halls, (performance.now() - started) / 1000);
  report(halls, figures);
  if (options.json) console.log(JSON.stringify(figures));
}

async function runHalls(seeds: readonly number[]): Promise<HallResult[]> {
  const waiting = [...seeds];
  const results: HallResult[] = [];
  const bar = progressBar("season", seeds.length, true);
  const lane = async () => {
    const worker = new Worker(new URL("./season/worker.ts", import.meta.url));
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      worker.postMessage(seed);
      results.push(await answer(worker));
      bar.update(results.length);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, seeds.length) }, lane));
  bar.stop();
  return results;
}

function answer(worker: Worker): Promise<HallResult> {
  return new Promise((resolve, reject) => {
    worker.once("message", (result: HallResult) => {
      worker.off("error", reject);
      resolve(result);
    });
    worker.once("error", reject);
  });
}

function figuresOf(halls: readonly HallResult[], seconds: number) {
  const sum = (pick: (hall: HallResult) => number) => halls.reduce((total, hall) => total + pick(hall), 0);
  const of = { faults: sum(({ faults }) => faults), equipment: sum(({ equipment }) => equipment) };
  const share = (found: number, all: number) => ({ found, of: all, recall: found / all });
  const caseOf = (name: Case) => ({
    false_alarms_per_rack_day: sum(({ cases }) => cases[name].false_alarms) / halls.length,
    faults: share(
      sum(({ cases }) => cases[name].faults),
      of.faults,
    ),
    equipment: share(
      sum(({ cases }) => cases[name].equipment),
      of.equipment,
    ),
  });
  const cases = Object.fromEntries(Object.keys(CASES).map((name) => [name, caseOf(name as Case)])) as Record<
    Case,
    ReturnType<typeof caseOf>
  >;
  return { seeds: halls.map(({ seed }) => seed), cases, halls, seconds };
}

function report(halls: readonly HallResult[], { cases, seconds }: ReturnType<typeof figuresOf>): void {
  console.log(
    `${halls.length} halls of ${RACKS.length} racks; the season: ${SEASON_K} K warmer outdoors; D and MMS alone; ` +
      `goal: below ${FALSE_ALARMS_GOAL} false alarms per rack-day\n`,
  );
  console.log("| | false alarms per rack-day | faults found | of the equipment |");
  console.log("|---|---:|---:|---:|");
  for (const [name, label] of Object.entries(CASES)) {
    const { false_alarms_per_rack_day, faults, equipment } = cases[name as Case];
    const found = [faults, equipment].map(
      (share) => `${share.found}/${share.of} (${share.recall.toFixed(3)})`,
    );
    console.log(`| ${label} | ${false_alarms_per_rack_day.toFixed(3)} | ${found.join(" | ")} |`);
  }
  for (const { seed, drift, offers, rows_offered } of halls) {
    console.log(`\nhall ${seed}: ${rows_offered} rows' own models won at first`);
    for (const [when, { level, rows, racks, retrains, sentences }] of Object.entries(drift)) {
      const next = retrains ? "retrains" : "does not retrain";
      console.log(`  drift ${when}: ${level} (${rows} rows, ${racks} racks), ${next}`);
      for (const sentence of sentences) console.log(`    ${sentence}`);
    }
    for (const [name, offer] of Object.entries(offers)) {
      const fate = offer ? `${offer.offered ? "offered" : "not offered"}, ${offer.reason}` : "no candidate";
      const learnt =
        offer?.share === undefined ? "" : `, with ${(100 * offer.share).toFixed(0)} % of that time`;
      console.log(`  ${name}: ${offer?.model_id ?? ""}${learnt}: ${fate}`);
    }
  }
  console.log(`\n${seconds.toFixed(0)} s on ${WORKERS} threads`);
}
