import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";
import { canonicalJson } from "../../shared/canonical.ts";
import { seriesRecipe } from "../../shared/ims/presets.ts";
import { readExperiments, readNominalPieces, SKAB_COLUMNS } from "./skab/data.ts";
import { type Confusion, figures, judge, pool, recipeOf } from "./skab/detector.ts";
import { CANDIDATES, type Candidate } from "./skab/grid.ts";

/** The benchmark's data is not ours to ship (GPL-3.0): https://github.com/waico/SKAB. */
const FOLDER = process.env.SKADI_SKAB_DIR ?? new URL("../../../shared/data/skab", import.meta.url).pathname;

/** From the public leaderboard's outlier task, over all of its 34 recordings: [detector, F1, FAR %, MAR %]. */
const LEADERBOARD = [
  ["Conv-AE", 0.78, 13.6, 28.0],
  ["MSET", 0.78, 39.7, 14.1],
  ["T²+Q", 0.76, 26.6, 24.9],
  ["T²", 0.66, 19.2, 42.6],
  ["isolation forest", 0.29, 2.6, 82.9],
] as const;

/** Share of the anomaly-free rows, in %, that a candidate may call anomalous. */
const NOMINAL_ALARMS_MAX_PCT = 10;

interface Result {
  candidate: Candidate;
  /** One per recording of valve1. */
  confusions: Confusion[];
  nominal_alarms_pct: number;
}

/** All kinds × thresholds × smoothings on valve1 by the protocol, beside the leaderboard, with the default marked. */
export async function benchSkab(folder = FOLDER): Promise<void> {
  if (!existsSync(folder)) {
    console.log(`NOT MEASURED: no SKAB data in ${folder}; set SKADI_SKAB_DIR`);
    return;
  }
  const valve1 = await readExperiments(join(folder, "valve1"));
  const nominal = await readNominalPieces(join(folder, "anomaly-free", "anomaly-free.csv"));
  const results = CANDIDATES.map((candidate): Result => {
    const pieces = pool(nominal.map((recording) => judge(recording, candidate.detector)));
    return {
      candidate,
      confusions: valve1.map((recording) => judge(recording, candidate.detector)),
      nominal_alarms_pct: figures(pieces).far_pct,
    };
  });
  const chosen = choose(results, valve1.keys());
  console.log(tableOf(results, chosen));
  console.log(verdict(results, chosen, valve1.length));
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || USED.includes(entry.name)) continue;
    const unseen = await readExperiments(join(folder, entry.name));
    const { detector } = chosen.candidate;
    console.log(`  ${entry.name}, unseen: ${say(figures(pool(unseen.map((x) => judge(x, detector)))))}`);
  }
}

/** Folders that had a say in the choice; any other one is judged with it. */
const USED = ["valve1", "anomaly-free"];

function say({ f1, far_pct, mar_pct }: ReturnType<typeof figures>): string {
  return `F1 ${f1.toFixed(3)}, FAR ${far_pct.toFixed(1)} %, MAR ${mar_pct.toFixed(1)} %`;
}

/**
 * How the default is chosen: of the candidates that leave the anomaly-free recording alone (at most 10 % of its rows
 * called anomalous), the one with the best F1 on the given experiments. There is one choice for all recordings.
 */
function choose(results: readonly Result[], experiments: Iterable<number>): Result {
  const of = [...experiments];
  const f1 = ({ confusions }: Result) => figures(pool(of.map((i) => confusions[i]!))).f1;
  const calm = results.filter((result) => result.nominal_alarms_pct <= NOMINAL_ALARMS_MAX_PCT);
  return calm.reduce((best, result) => (f1(result) > f1(best) ? result : best));
}

/** What the choice is worth on an experiment that had no say in it. */
function leaveOneOut(results: readonly Result[], experiments: number) {
  const all = [...Array(experiments).keys()];
  const choices = all.map((out) =>
    choose(
      results,
      all.filter((i) => i !== out),
    ),
  );
  const pooled = pool(choices.map(({ confusions }, out) => confusions[out]!));
  return { ...figures(pooled), different: new Set(choices).size };
}

function tableOf(results: readonly Result[], chosen: Result): string {
  const table = new Table({
    head: ["", "detector", "threshold", "smoothing", "F1", "FAR %", "MAR %", "anomaly-free %"],
    colAligns: ["left", "left", "left", "left", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, f1, far_pct, mar_pct] of LEADERBOARD)
    table.push([
      "",
      `${name} (leaderboard)`,
      "",
      "",
      f1.toFixed(2),
      far_pct.toFixed(1),
      mar_pct.toFixed(1),
      "",
    ]);
  for (const result of results) {
    const { kind, threshold, smoothing } = result.candidate;
    const { f1, far_pct, mar_pct } = figures(pool(result.confusions));
    const mark = result === chosen ? "●" : "";
    const measured = [far_pct, mar_pct, result.nominal_alarms_pct].map((value) => value.toFixed(1));
    table.push([mark, kind, threshold, smoothing, f1.toFixed(3), ...measured]);
  }
  return table.toString();
}

function verdict(results: readonly Result[], chosen: Result, experiments: number): string {
  const { f1, far_pct, mar_pct } = figures(pool(chosen.confusions));
  const out = leaveOneOut(results, experiments);
  const { kind, threshold, smoothing } = chosen.candidate;
  const dominated = LEADERBOARD.filter((row) => f1 >= row[1] && far_pct <= row[2]).map((row) => row[0]);
  const shipped =
    canonicalJson(recipeOf(chosen.candidate.detector, SKAB_COLUMNS)) ===
    canonicalJson(seriesRecipe(SKAB_COLUMNS));
  return [
    `● chosen, and ${shipped ? "" : "NOT "}the default of train --series: ${kind}, ${threshold}, ${smoothing}: ${say({ f1, far_pct, mar_pct })}`,
    `  chosen with each recording left out in turn (distinct choices: ${out.different}): ${say(out)}`,
    `  better than or equal to in both F1 and FAR: ${dominated.join(", ") || "none"}`,
    `  The leaderboard pools 34 recordings, of which valve1 is ${experiments}: the rows are not strictly comparable.`,
  ].join("\n");
}
