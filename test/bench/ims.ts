import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FEATURES } from "../../shared/ims/features.ts";
import { readModelFile } from "../../shared/ims/model-file.ts";
import { readFeatureRows } from "../../shared/ims/rows.ts";
import { createScorer, scoreBatch } from "../../shared/ims/score.ts";

const F = FEATURES.length;
const RUNS = 5;
const SINGLE_SCORES = 2_000_000;
const PYTHON = "/usr/bin/python3";
const file = (path: string) => new URL(path, import.meta.url).pathname;

interface Figures {
  /** The whole process: start, CSV in, model out. */
  total_s: number;
  /** null: the peer does not say. */
  peak_mb: number | null;
  fit_s: number;
  batch_per_s: number;
  single_per_s: number;
  mean_d2: number;
}

/** Trains and scores on training_ims.csv, ours and scikit-learn in turn, and compares the medians. */
export async function benchIms(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "skadi-bench-"));
  const data = join(folder, "training_ims.csv");
  node(["sim/start.mjs", "generate", "training_ims", "--out", data, "--json"]);
  const with_peer = ensurePeer();
  const peer_script = peerScript();
  if (with_peer) console.log(`peer: ${peer_script}`);
  const ours: Figures[] = [];
  const peer: Figures[] = [];
  for (let run = 0; run < RUNS; run++) {
    ours.push(await measure(data, join(folder, "model.json")));
    if (with_peer) peer.push(runPeer(peer_script, data));
  }
  rmSync(folder, { recursive: true });
  print("Skadi", medians(ours));
  if (!with_peer) return;
  print("scikit-learn", medians(peer));
  printRatios(medians(ours), medians(peer));
}

async function measure(data: string, model_file: string): Promise<Figures> {
  const started = performance.now();
  const args = ["aggregator/start.mjs", "train", "--data", data, "--out", model_file, "--json"];
  const summary = JSON.parse(node(args)) as { train_s: number; peak_mb: number; mean_d2: number };
  const total_s = (performance.now() - started) / 1000;
  const model = readModelFile(model_file);
  if (!model.ok) throw new Error("a model that was just trained must be valid");
  const rows = await readFeatureRows(data);
  const batch_started = performance.now();
  scoreBatch(model.value, rows);
  const batch_s = (performance.now() - batch_started) / 1000;
  const scorer = createScorer(model.value);
  const verdict = scorer.score(rows.subarray(0, F));
  const single_started = performance.now();
  for (let i = 0, at = 0; i < SINGLE_SCORES; i++) {
    scorer.score(rows.subarray(at, at + F), verdict);
    at = at + F < rows.length ? at + F : 0;
  }
  const single_s = (performance.now() - single_started) / 1000;
  return {
    total_s,
    peak_mb: summary.peak_mb,
    fit_s: summary.train_s,
    batch_per_s: rows.length / F / batch_s,
    single_per_s: SINGLE_SCORES / single_s,
    mean_d2: summary.mean_d2,
  };
}

/** The peer to run: SKADI_IMS_PEER, or one that lies beside the repository, or else its twin in this folder. */
function peerScript(): string {
  const outside = file("../../../shared/baselines/ims_sklearn.py");
  return process.env.SKADI_IMS_PEER ?? (existsSync(outside) ? outside : file("./ims_peer.py"));
}

/** Each peer prints one JSON line with these figures; only the twin knows its peak memory. */
function runPeer(script: string, data: string): Figures {
  const { peak_mb = null, ...figures } = JSON.parse(
    execFileSync(PYTHON, [script, data], { encoding: "utf8" }),
  ) as Omit<Figures, "peak_mb"> & { peak_mb?: number };
  return { ...figures, peak_mb };
}

function node(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { encoding: "utf8", cwd: file("../..") });
}

/** Installs the peer where this is Debian and we are root; says loudly when it cannot be measured. */
function ensurePeer(): boolean {
  const check = () => execFileSync(PYTHON, ["-c", "import sklearn, pandas"], { stdio: "ignore" });
  const install = () => {
    const packages = ["python3-sklearn", "python3-pandas"];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", ["install", "-y", "-q", ...packages], { stdio: "ignore", env });
    check();
  };
  for (const attempt of [check, install]) {
    try {
      attempt();
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      console.log(`scikit-learn: ${reason}`);
    }
  }
  console.log("*** scikit-learn NOT MEASURED: install python3-sklearn and python3-pandas ***");
  return false;
}

function medians(runs: readonly Figures[]): Figures {
  const median = (pick: (f: Figures) => number) =>
    runs.map(pick).sort((a, b) => a - b)[Math.floor(runs.length / 2)]!;
  const peaks = runs.map((f) => f.peak_mb).filter((peak) => peak !== null);
  return {
    total_s: median((f) => f.total_s),
    peak_mb: peaks.length > 0 ? peaks.sort((a, b) => a - b)[Math.floor(peaks.length / 2)]! : null,
    fit_s: median((f) => f.fit_s),
    batch_per_s: median((f) => f.batch_per_s),
    single_per_s: median((f) => f.single_per_s),
    mean_d2: median((f) => f.mean_d2),
  };
}

function megabytes(value: number | null): string {
  return value === null ? "unknown memory" : `${value.toFixed(0)} MB`;
}

function print(name: string, f: Figures): void {
  const rate = (value: number) => Math.round(value).toLocaleString("en");
  console.log(
    `${name.padEnd(13)} whole process ${f.total_s.toFixed(2)} s, ${megabytes(f.peak_mb)}; fit ${f.fit_s.toFixed(2)} s, mean D² ${f.mean_d2.toFixed(4)}; batch ${rate(f.batch_per_s)}/s, single ${rate(f.single_per_s)}/s`,
  );
}

function printRatios(ours: Figures, peer: Figures): void {
  const faster = (value: number, goal: number) => `${value.toFixed(2)} × (goal ≥ ${goal})`;
  console.log(
    [
      `medians of ${RUNS} alternating runs, Skadi against scikit-learn:`,
      `  whole process ${faster(peer.total_s / ours.total_s, 3)} as fast, peak memory ${megabytes(ours.peak_mb)} (goal ≤ 250) against ${megabytes(peer.peak_mb)}`,
      `  fit           ${faster(peer.fit_s / ours.fit_s, 1.5)} as fast, mean D² ${(ours.mean_d2 / peer.mean_d2).toFixed(4)} of the peer's (goal ≤ 1)`,
      `  batch scoring ${faster(ours.batch_per_s / peer.batch_per_s, 2)}`,
      `  single score  ${faster(ours.single_per_s / peer.single_per_s, 200)}, with contributions`,
    ].join("\n"),
  );
}
