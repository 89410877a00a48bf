import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { rocCurve } from "../../shared/ims/evaluate.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { isNominal } from "../../shared/ims/nominal.ts";
import { scoreBatch } from "../../shared/ims/score.ts";
import { quantile } from "../../shared/ims/statistics.ts";
import { escapeHtml, facts, figure, htmlPage, section } from "../report/html.ts";
import { barChart } from "../report/pictures.ts";
import {
  clusterHeatMap,
  featureHistogram,
  histogram,
  rocPlot,
  scoreDistribution,
} from "./report-pictures.ts";

const F = FEATURES.length;
const FEATURE_BINS = 40;
const SCORE_BINS = 80;
/** More rows than these do not change a picture. */
const ROWS_SHOWN = 20_000;

/** The rows that the pictures are drawn from. */
export interface ReportRows {
  /** Row-major, n × FEATURES.length. */
  x: Float64Array;
  /** How many rows the recording has, of which `x` may be a part. */
  whole: number;
  labels: { column: string; anomalous: Uint8Array } | null;
}

/**
 * Evenly spread rows, as many as the pictures need, in memory of their own: training uses its rows up.
 *
 * @param x row-major, n × FEATURES.length
 */
export function rowsToShow(x: Float64Array): ReportRows {
  const whole = x.length / F;
  const count = Math.min(whole, ROWS_SHOWN);
  const shown = new Float64Array(count * F);
  for (let i = 0; i < count; i++) {
    // Not every n-th row: where racks take turns, that could leave some out.
    const row = Math.floor((i * whole) / count);
    shown.set(x.subarray(row * F, (row + 1) * F), i * F);
  }
  return { x: shown, whole, labels: null };
}

/** The page: self-contained HTML, no scripts, in the reader's light or dark. */
export function trainingReport(
  model: ModelFile,
  rows: ReportRows,
  about: { limits: Limits; data: string },
): string {
  const scored = scoreRows(model, rows, about.limits);
  const sections = [
    section("Where it comes from", lineage(model, rows, scored, about.data)),
    section(
      "Features",
      `<p>Each feature over all rows of the recording (grey) and over those that pass the nominal filter (blue), from the 0.1 % to the 99.9 % quantile.</p><div class="grid">${featurePictures(scored)}</div>`,
    ),
    section(
      "Clusters of nominal operation",
      `<p>Centres in physical units. Colour: deviation from the nominal mean, blue below, orange above, strongest at three standard deviations.</p>${heatMap(model)}<p>Share of the training rows in each cluster.</p>${sizes(model)}`,
    ),
    section("Deviation score D", scores(model, scored)),
    ...(rows.labels ? [section("Detection by D alone", roc(model, scored, rows.labels))] : []),
  ];
  const heading = `<h1>Model ${escapeHtml(model.id)}</h1>`;
  return htmlPage(`Model ${model.id}: training report`, `${heading}\n${sections.join("\n")}`);
}

interface ScoredRows {
  /** n × FEATURES.length. */
  x: Float64Array;
  d: Float64Array;
  nominal: Uint8Array;
}

function scoreRows(model: ModelFile, { x }: ReportRows, limits: Limits): ScoredRows {
  const { d } = scoreBatch(model, x);
  const nominal = Uint8Array.from(d, (_, i) => (isNominal(x, i * F, limits) ? 1 : 0));
  return { x, d, nominal };
}

function lineage(model: ModelFile, rows: ReportRows, scored: ScoredRows, data: string): string {
  const { training: t } = model;
  const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  const count = (n: number) => n.toLocaleString("en");
  const nominal_here = scored.nominal.reduce((sum, flag) => sum + flag, 0);
  return facts([
    ["Made", model.created_at],
    ["Trained on", t.data],
    [
      "Training rows",
      `${count(t.rows)}, of which ${count(t.nominal_rows)} (${share(t.nominal_rows, t.rows)}) nominal`,
    ],
    [
      "Clusters",
      `${t.clusters}, seed ${t.seed}, ${t.iterations} iterations, mean D² ${t.mean_d2.toFixed(4)}`,
    ],
    ["Thresholds", `tau_fast ${model.tau_fast.toFixed(4)}, tau_persist ${model.tau_persist.toFixed(4)}`],
    [
      "Shown here",
      `${data}: ${count(scored.d.length)} of ${count(rows.whole)} rows, ${share(nominal_here, scored.d.length)} of them nominal`,
    ],
    ["SHA-256", model.sha256],
  ]);
}

function featurePictures({ x, nominal }: ScoredRows): string {
  return FEATURES.map((name, j) => {
    const all = Float64Array.from({ length: x.length / F }, (_, i) => x[i * F + j]!);
    const kept = all.filter((_, i) => nominal[i] === 1);
    const span = range(all);
    const nominal_part = histogram(kept, span, FEATURE_BINS, all.length);
    return featureHistogram(name, histogram(all, span, FEATURE_BINS), nominal_part);
  }).join("");
}

/** Almost all of the values: a single stray one must not squeeze the picture. */
function range(values: Float64Array): [low: number, high: number] {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return [0, 1];
  const low = quantile(sorted, 0.001);
  const high = quantile(sorted, 0.999);
  return low < high ? [low, high] : [low - 1, low + 1];
}

function heatMap(model: ModelFile): string {
  const { mean, scale } = model.scaler;
  const clusters = model.centers.map((z, c) => ({
    label: `cluster ${c}`,
    z,
    physical: z.map((value, j) => value * scale[j]! + mean[j]!),
  }));
  return clusterHeatMap(model.features, clusters);
}

function sizes({ training }: ModelFile): string {
  const items = training.cluster_sizes.map((size, c) => {
    const text = `${((100 * size) / training.nominal_rows).toFixed(1)} % (${size.toLocaleString("en")})`;
    return { label: `cluster ${c}`, value: size, text };
  });
  return barChart(
    { title: "Cluster sizes", description: "Share of the training rows in each cluster." },
    items,
  );
}

function scores(model: ModelFile, { d, nominal }: ScoredRows): string {
  const inside = d.filter((_, i) => nominal[i] === 1);
  const outside = d.filter((value, i) => nominal[i] === 0 && !Number.isNaN(value));
  const sorted = inside.toSorted();
  const highest = sorted.length > 0 ? quantile(sorted, 0.999) : 0;
  const span = [0, Math.max(1.5 * model.tau_persist, Math.min(3 * model.tau_persist, highest))] as const;
  const thresholds = [
    { name: "tau_fast", value: model.tau_fast },
    { name: "tau_persist", value: model.tau_persist },
  ];
  const above = (tau: number) =>
    inside.length === 0
      ? "–"
      : `${figure((100 * inside.filter((value) => value >= tau).length) / inside.length)} %`;
  const others = outside.length > 0 ? histogram(outside, span, SCORE_BINS) : null;
  return (
    `<p>D of the nominal rows (blue)${others ? " and of all others (grey; the last bar holds whatever lies beyond)" : ""}. ` +
    `Of the nominal rows ${above(model.tau_fast)} lie at or above tau_fast and ${above(model.tau_persist)} at or above tau_persist.</p>` +
    scoreDistribution(histogram(inside, span, SCORE_BINS), others, thresholds)
  );
}

function roc(model: ModelFile, scored: ScoredRows, labels: NonNullable<ReportRows["labels"]>): string {
  const { column } = labels;
  const keep = scored.d.map((value) => (Number.isNaN(value) ? 0 : 1));
  const d = scored.d.filter((_, i) => keep[i] === 1);
  const anomalous = labels.anomalous.filter((_, i) => keep[i] === 1);
  const positives = anomalous.reduce((sum, flag) => sum + flag, 0);
  if (positives === 0 || positives === anomalous.length) {
    return `<p>The column ${column} calls all rows the same, so there is no curve to draw.</p>`;
  }
  const { points, area } = rocCurve(d, anomalous);
  const mark = (name: string, tau: number) => {
    let hits = 0;
    let alarms = 0;
    for (let i = 0; i < d.length; i++) {
      if (d[i]! < tau) continue;
      alarms++;
      hits += anomalous[i]!;
    }
    const false_alarm_rate = (alarms - hits) / (d.length - positives);
    return { name, false_alarm_rate, recall: hits / positives };
  };
  const marks = [mark("tau_fast", model.tau_fast), mark("tau_persist", model.tau_persist)];
  const words = marks.map(
    (m) =>
      `${m.name}: recall ${(100 * m.recall).toFixed(1)} % at ${(100 * m.false_alarm_rate).toFixed(1)} % false alarms`,
  );
  return (
    `<p>Row by row against the column ${column} (${((100 * positives) / d.length).toFixed(1)} % anomalous), without smoothing: ` +
    `area under the curve ${area.toFixed(3)}; ${words.join("; ")}.</p>${rocPlot(points, marks)}`
  );
}
