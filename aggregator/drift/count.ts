import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { BinnedDistribution, ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { isNominal } from "../../shared/ims/nominal.ts";
import { binned } from "../../shared/ims/reference.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { type Exclusions, usableRows } from "./exclusions.ts";
import { type BinLayout, layoutOf, type Occupancy, occupancyCounter } from "./occupancy.ts";
import type { RackSeries } from "./stored-series.ts";

const F = FEATURES.length;

export interface Counted {
  racks: Record<string, Occupancy>;
  rows: number;
  excluded_rows: number;
  /** Of those that were not excluded: outside of the nominal filter. */
  outside_rows: number;
}

/**
 * The bins that a model's operation is counted in: those of its training rows, or, of a model file without them, those
 * of some operation.
 */
export function driftLayout(model: ModelFile, sample: () => Iterable<RackSeries>): BinLayout {
  const { reference, tau_fast } = model;
  const ratio = ({ edges, shares }: BinnedDistribution) => ({
    edges: edges.map((edge) => edge / tau_fast),
    shares,
  });
  if (reference) return layoutOf([...reference.features, ratio(reference.d)]);
  const columns: number[][] = Array.from({ length: F + 1 }, () => []);
  const scorer = createScorer(model);
  for (const { x } of sample()) {
    for (let at = 0; at < x.length; at += F) {
      const row = x.subarray(at, at + F);
      if (row.some(Number.isNaN)) continue;
      for (let j = 0; j < F; j++) columns[j]!.push(row[j]!);
      columns[F]!.push(scorer.score(row).d / tau_fast);
    }
  }
  return layoutOf(columns.map((values) => binned(Float64Array.from(values.length > 0 ? values : [0]))));
}

/** Counts the nominal rows of every rack: the same filter as in training, and nothing of what is excluded. */
export function countRows(
  series: Iterable<RackSeries>,
  {
    model,
    layout,
    exclusions,
    limits,
  }: { model: ModelFile; layout: BinLayout; exclusions: Exclusions; limits: Limits },
): Counted {
  const scorer = createScorer(model);
  const counted: Counted = { racks: {}, rows: 0, excluded_rows: 0, outside_rows: 0 };
  const values = new Float64Array(F + 1);
  for (const rack of series) {
    const usable = usableRows(rack, exclusions);
    const counter = occupancyCounter(layout);
    counted.rows += usable.length;
    for (let i = 0; i < usable.length; i++) {
      if (!usable[i]) counted.excluded_rows++;
      else if (!isNominal(rack.x, i * F, limits)) counted.outside_rows++;
      else {
        const row = rack.x.subarray(i * F, i * F + F);
        values.set(row);
        values[F] = scorer.score(row).d / model.tau_fast;
        counter.add(rack.ts_ms[i]!, values);
      }
    }
    if (counter.occupancy.rows.some((n) => n > 0)) counted.racks[rack.rack_id] = counter.occupancy;
  }
  return counted;
}
