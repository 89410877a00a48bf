import type { ModelKind, ThresholdRule } from "../../../shared/contracts/model.ts";
import { type Recipe, windowMeans } from "../../../shared/ims/presets.ts";
import { createSeriesScorer } from "../../../shared/ims/series.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { FIT_ROWS, livelyColumns, pickColumns, type Recording } from "./data.ts";

export interface Detector {
  kind: ModelKind;
  clusters: number;
  /** Features are means over this many rows; 1: the readings themselves. */
  mean_rows: number;
  /** How fast the clusters follow rows that were judged nominal; 0: not at all. */
  baseline_weight: number;
  threshold: ThresholdRule;
  cross_fit: boolean;
  /** Weight of the newest D in its exponential average; 1: D itself. */
  ema: number;
}

/** Confusion of judged rows; they add up over recordings. */
export interface Confusion {
  tp: number;
  fp: number;
  fn: number;
  tn: number;
}

export function recipeOf({ mean_rows, ema: _, ...detector }: Detector, columns: readonly string[]): Recipe {
  const derived = mean_rows === 1 ? [] : windowMeans(columns, mean_rows);
  return { ...detector, features: mean_rows === 1 ? columns : derived.map(({ name }) => name), derived };
}

/** Trains on a recording's first rows and judges every later one, looking back only. */
export function judge(recording: Recording, detector: Detector): Confusion {
  const columns = livelyColumns(recording);
  const width = columns.length;
  const x = pickColumns(recording, columns);
  const model = trainModel(x.subarray(0, FIT_ROWS * width), {
    ...recipeOf(detector, columns),
    seed: 42,
    limits: null,
    data: recording.name,
    created_ms: 0,
  });
  const scorer = createSeriesScorer(model);
  const row = (i: number) => x.subarray(i * width, (i + 1) * width);
  for (let i = 0; i < FIT_ROWS; i++) scorer.prime(row(i));
  const confusion = { tp: 0, fp: 0, fn: 0, tn: 0 };
  let level = Number.NaN;
  for (let i = FIT_ROWS; i < recording.labels.length; i++) {
    const { d, tau_persist } = scorer.push(row(i));
    level = Number.isNaN(level) ? d : detector.ema * d + (1 - detector.ema) * level;
    const alarm = level >= tau_persist;
    if (recording.labels[i]) confusion[alarm ? "tp" : "fn"]++;
    else confusion[alarm ? "fp" : "tn"]++;
  }
  return confusion;
}

export function pool(all: readonly Confusion[]): Confusion {
  const sum = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (const { tp, fp, fn, tn } of all) {
    sum.tp += tp;
    sum.fp += fp;
    sum.fn += fn;
    sum.tn += tn;
  }
  return sum;
}

/** F1, false-alarm rate and missed-alarm rate (both in %), as the benchmark defines them. */
export function figures({ tp, fp, fn, tn }: Confusion) {
  return {
    f1: (2 * tp) / (2 * tp + fp + fn),
    far_pct: (100 * fp) / (fp + tn),
    mar_pct: (100 * fn) / (fn + tp),
  };
}
