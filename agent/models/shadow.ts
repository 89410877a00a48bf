import { setImmediate } from "node:timers/promises";
import type { ShadowReport } from "../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type Rejection, reject } from "../../shared/errors.ts";
import type { Scorer, Verdict } from "../../shared/ims/score.ts";
import { thresholdsAt } from "../../shared/ims/thresholds.ts";

const HOUR_MS = 3_600_000;
/** 3,600 samples of ten features are 288 kB. */
const ROWS_MAX = 3_600;

/** The rack's own last hour: its feature vectors as they were scored. */
export interface LastHour {
  add(at_ms: number, x: Float64Array): void;
  /** A copy of what is at most an hour older than the newest, oldest first, row-major. */
  rows(): Float64Array;
}

/**
 * @param features in a vector
 * @param score_s how often one comes
 */
export function lastHour(features: number, score_s: number): LastHour {
  const capacity = Math.min(ROWS_MAX, Math.ceil(HOUR_MS / 1000 / score_s));
  const ring = new Float64Array(capacity * features);
  const times = new Float64Array(capacity);
  let count = 0;
  return {
    add(at_ms, x) {
      const at = count++ % capacity;
      ring.set(x, at * features);
      times[at] = at_ms;
    },
    rows() {
      const newest_ms = count > 0 ? times[(count - 1) % capacity]! : 0;
      const held = Math.min(count, capacity);
      const young = Array.from({ length: held }, (_, i) => (count - held + i) % capacity).filter(
        (at) => newest_ms - times[at]! <= HOUR_MS,
      );
      const rows = new Float64Array(young.length * features);
      for (const [i, at] of young.entries())
        rows.set(ring.subarray(at * features, (at + 1) * features), i * features);
      return rows;
    },
  };
}

/** Multiplications that are made in one go: a few milliseconds, so that the guardrail's tick is never kept waiting. */
const SLICE = 2_000_000;

/** Scores the same rows with the present model, if there is one, and with the one that is offered. */
export async function shadowReport(
  rows: Float64Array,
  present: Scorer | null,
  offered: Scorer,
): Promise<ShadowReport> {
  const before = present ? await alarms(rows, present) : null;
  const after = await alarms(rows, offered);
  return {
    samples: after.samples,
    alarm_share_before: before?.share ?? null,
    alarm_share_after: after.share,
    mean_ratio_before: before?.mean_ratio ?? null,
    mean_ratio_after: after.mean_ratio,
  };
}

/** How many of the rows are at or above tau_fast, and the mean of D / tau_fast. */
async function alarms(rows: Float64Array, { model, score }: Scorer) {
  const F = model.features.length;
  const slice = Math.max(1, Math.floor(SLICE / workPerRow(model)));
  const row = new Float64Array(F);
  const verdict: Verdict = { d: 0, cluster: 0, contributions: new Float64Array(F), missing: 0 };
  let samples = 0;
  let alarmed = 0;
  let ratios = 0;
  for (let i = 0; i * F < rows.length; i++) {
    if (i > 0 && i % slice === 0) await setImmediate();
    row.set(rows.subarray(i * F, (i + 1) * F));
    const { d, cluster } = score(row, verdict);
    if (!Number.isFinite(d)) continue;
    const { tau_fast } = thresholdsAt(model, cluster);
    samples++;
    if (d >= tau_fast) alarmed++;
    ratios += d / tau_fast;
  }
  const mean = (sum: number) => (samples > 0 ? sum / samples : null);
  return { samples, share: mean(alarmed), mean_ratio: mean(ratios) };
}

function workPerRow({ kind, centers, features: { length } }: ModelFile): number {
  return centers.length * length * (kind === "mahalanobis" ? length : 1);
}

export interface ShadowLimits {
  samples_min: number;
  alarm_share_max: number;
  present_share_max: number;
}

/** Refuses only what would be plainly broken here: it alarms most of an hour in which the present model hardly did. */
export function shadowVerdict(report: ShadowReport, limits: ShadowLimits): Rejection | undefined {
  const { samples, alarm_share_before: before, alarm_share_after: after } = report;
  if (samples < limits.samples_min || before === null || after === null) return undefined;
  if (after <= limits.alarm_share_max || before >= limits.present_share_max) return undefined;
  return reject("SKADI_MODEL_SHADOW", {
    field: "alarm_share",
    value: `${percent(after)} of ${samples} samples, where the present model has ${percent(before)}`,
    expected: `≤ ${percent(limits.alarm_share_max)}`,
  });
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
