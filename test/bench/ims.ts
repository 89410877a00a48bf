import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { readFeatureRows } from "../../shared/ims/rows.ts";
import { createScorer, scoreBatch } from "../../shared/ims/score.ts";
import { trainModel } from "../../shared/ims/train.ts";

const F = FEATURES.length;
const SINGLE_SCORES = 2_000_000;
/** The same steps in scikit-learn; needs Debian's python3-sklearn and python3-pandas. */
const PEER = new URL("./ims_peer.py", import.meta.url).pathname;

interface Figures {
  fit_s: number;
  batch_per_s: number;
  single_per_s: number;
  mean_d2: number;
  tau_fast: number;
  tau_persist: number;
}

/** Generates training_ims.csv and trains and scores on it: ours, then the peer on the same file. */
export async function benchIms(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "skadi-bench-"));
  const data = join(folder, "training_ims.csv");
  const sim = new URL("../../sim/main.ts", import.meta.url).pathname;
  execFileSync(process.execPath, [sim, "generate", "training_ims", "--out", data, "--json"]);
  const ours = await measure(data);
  print("Skadi", ours);
  const peer = runPeer(data);
  if (peer) {
    print("scikit-learn", peer);
    const ratio = (pick: (f: Figures) => number) => (pick(ours) / pick(peer)).toFixed(2);
    console.log(
      `Skadi ÷ scikit-learn: fit time ${ratio((f) => f.fit_s)}, batch rate ${ratio((f) => f.batch_per_s)}, single rate ${ratio((f) => f.single_per_s)}, mean D² ${ratio((f) => f.mean_d2)}`,
    );
  }
  rmSync(folder, { recursive: true });
}

async function measure(data: string): Promise<Figures> {
  const rows = await readFeatureRows(data);
  const { limits } = AggregatorConfig.parse({});
  const fit_started = performance.now();
  const model = trainModel(rows, { clusters: 8, seed: 42, limits, data: "bench", created_ms: 0 });
  const fit_s = (performance.now() - fit_started) / 1000;
  const batch_started = performance.now();
  scoreBatch(model, rows);
  const batch_s = (performance.now() - batch_started) / 1000;
  const scorer = createScorer(model);
  const verdict = scorer.score(rows.subarray(0, F));
  const single_started = performance.now();
  for (let i = 0, at = 0; i < SINGLE_SCORES; i++) {
    scorer.score(rows.subarray(at, at + F), verdict);
    at += F;
    if (at >= rows.length) at = 0;
  }
  const single_s = (performance.now() - single_started) / 1000;
  return {
    fit_s,
    batch_per_s: rows.length / F / batch_s,
    single_per_s: SINGLE_SCORES / single_s,
    mean_d2: model.training.mean_d2,
    tau_fast: model.tau_fast,
    tau_persist: model.tau_persist,
  };
}

function runPeer(data: string): Figures | null {
  const python = "/usr/bin/python3";
  try {
    if (!existsSync(python)) throw new Error("no python3");
    return JSON.parse(
      execFileSync(python, [PEER, data], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    ) as Figures;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n").at(-1) : String(error);
    console.log(`scikit-learn: NOT MEASURED, install python3-sklearn and python3-pandas (${reason})`);
    return null;
  }
}

function print(name: string, f: Figures): void {
  const rate = (value: number) => Math.round(value).toLocaleString("en");
  console.log(
    `${name.padEnd(13)} fit ${f.fit_s.toFixed(2)} s, batch ${rate(f.batch_per_s)}/s, single ${rate(f.single_per_s)}/s, mean D² ${f.mean_d2.toFixed(4)}, tau_fast ${f.tau_fast.toFixed(4)}, tau_persist ${f.tau_persist.toFixed(4)}`,
  );
}
