import { parentPort, workerData } from "node:worker_threads";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { BinnedDistribution, ModelFile } from "../../shared/contracts/model.ts";
import type { RackOccupancies } from "./compare.ts";
import { type Counted, countRows, driftLayout } from "./count.ts";
import type { Exclusions, Span } from "./exclusions.ts";
import { layoutOf } from "./occupancy.ts";
import { openStoredSeries, type RackSeries } from "./stored-series.ts";

export interface DriftCount {
  database: string;
  racks: readonly string[];
  model: ModelFile;
  limits: Limits;
  exclusions: Exclusions;
  window: Span;
  /** What to take for the baseline where there is none yet; its bins, where there is one. */
  baseline: { span: Span | null; bins: readonly BinnedDistribution[] | null };
}

export interface DriftCounts {
  window: Counted;
  baseline: RackOccupancies | null;
  bins: readonly BinnedDistribution[];
}

const MINUTE_MS = 60_000;

/** Runs in a worker thread: counts stored rows, one a minute of each rack. */
function count({ database, racks, model, limits, exclusions, window, baseline }: DriftCount): DriftCounts {
  const stored = openStoredSeries(database);
  function* series(span: Span): Generator<RackSeries> {
    const minutes = (racks.length * (span.to_ms - span.from_ms)) / MINUTE_MS;
    const stride = Math.max(1, Math.round(stored.count(span.from_ms, span.to_ms) / minutes));
    for (const rack_id of racks) yield stored.read(rack_id, span.from_ms, span.to_ms, stride);
  }
  const layout = baseline.bins
    ? layoutOf(baseline.bins)
    : driftLayout(model, () => series(baseline.span ?? window));
  const about = { model, layout, exclusions, limits };
  const counts = {
    window: countRows(series(window), about),
    baseline: baseline.span ? countRows(series(baseline.span), about).racks : null,
    bins: layout.bins,
  };
  stored.close();
  return counts;
}

parentPort?.postMessage(count(workerData as DriftCount));
