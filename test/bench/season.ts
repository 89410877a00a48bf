import { Worker } from "node:worker_threads";
import { progressBar } from "../../sim/progress.ts";
import { SEASON_K } from "../../sim/scenarios/season-shift.ts";
import { RACKS } from "./fault-schedule.ts";
import type { BenchOptions } from "./options.ts";
import type { HallResult } from "./season-hall.ts";

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
    const worker = new Worker(new URL("./season-worker.ts", import.meta.url));
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
  const mean = (pick: (hall: HallResult) => number) =>
    halls.reduce((sum, hall) => sum + pick(hall), 0) / halls.length;
  const found = (kind: "faults" | "equipment") => {
    const sum = (pick: (of: HallResult["faults"]) => number) =>
      halls.reduce((total, hall) => total + pick(hall[kind]), 0);
    const of = sum((f) => f.of);
    const share = (pick: (f: HallResult["faults"]) => number) => ({
      found: sum(pick),
      of,
      recall: sum(pick) / of,
    });
    return {
      before: share((f) => f.before),
      after_old: share((f) => f.after_old),
      after_new: share((f) => f.after_new),
    };
  };
  return {
    seeds: halls.map(({ seed }) => seed),
    false_alarms_per_rack_day: {
      before: mean((hall) => hall.false_alarms.before),
      after_old: mean((hall) => hall.false_alarms.after_old),
      after_new: mean((hall) => hall.false_alarms.after_new),
      after_new_judged: mean((hall) => hall.false_alarms.after_new_judged),
    },
    faults: found("faults"),
    equipment: found("equipment"),
    halls,
    seconds,
  };
}

function report(halls: readonly HallResult[], figures: ReturnType<typeof figuresOf>): void {
  const { false_alarms_per_rack_day: alarms, faults, equipment } = figures;
  console.log(
    `${halls.length} halls of ${RACKS.length} racks; the season: ${SEASON_K} K warmer outdoors; D and MMS alone\n`,
  );
  console.log("| | false alarms per rack-day | faults found | of the equipment |");
  console.log("|---|---:|---:|---:|");
  const line = (name: string, rate: number, key: "before" | "after_old" | "after_new") => {
    const words = ({ found, of, recall }: (typeof faults)["before"]) =>
      `${found}/${of} (${recall.toFixed(3)})`;
    console.log(`| ${name} | ${rate.toFixed(3)} | ${words(faults[key])} | ${words(equipment[key])} |`);
  };
  line("before the season, old model", alarms.before, "before");
  line("after it, old model", alarms.after_old, "after_old");
  line(`after it, retrained model (goal < ${FALSE_ALARMS_GOAL})`, alarms.after_new, "after_new");
  console.log(
    `\nretrained with its false alarms rejected by people: ${alarms.after_new_judged.toFixed(3)} per rack-day`,
  );
  for (const { seed, drift, offered, rows_offered } of halls) {
    const { before, after } = drift;
    console.log(
      `\nhall ${seed}: drift before ${before.level} (${before.rows} rows, ${before.racks} racks), after ${after.level} ` +
        `(${after.rows} rows, ${after.racks} racks)\n  ${after.sentences.join("\n  ")}\n  ${offered.model_id}: ` +
        `${offered.offered ? "offered" : "not offered"}, ${offered.reason}; ${rows_offered} rows' own models won`,
    );
  }
  console.log(`\n${figures.seconds.toFixed(0)} s on ${WORKERS} threads`);
}
