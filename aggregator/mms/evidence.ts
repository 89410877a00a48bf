import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Score, SensorAlarm } from "../../shared/contracts/score.ts";
import { FEATURES } from "../../shared/ims/features.ts";

const F = FEATURES.length;
const at = (feature: (typeof FEATURES)[number]) => FEATURES.indexOf(feature);

/** The quantities that a cause is judged by, in standard deviations of nominal operation. */
export const EVIDENCE = [
  /** Load (tokens, GPU power) against the site's median. */
  "load_vs_site",
  /** What load does not explain, against the site's median. */
  "inlet_c",
  "outlet_c",
  "delta_t",
  "pdu_kw",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
  /** The same of the inlet, of the other racks of the row (median), and of the rack's neighbours. */
  "row_inlet_c",
  "neighbour_inlet_c",
] as const;

/** What the rack's own supervision says, each a share of the last minute. */
export const SIGNS = [
  "relations",
  "change",
  "stuck",
  "drift",
  "spike",
  "dropout",
  "erratic",
  "range",
] as const;

export interface Observed {
  /** NaN where it cannot be known or says nothing now. */
  values: Float64Array;
  signs: Float64Array;
}

/** About a minute of 5 s scores. */
const FAST = 0.1;
/** Scores without a value after which the last one says nothing any more. */
const SILENT_MAX = 24;

interface Track {
  fast: Float64Array;
  silent: Int32Array;
  signs: Float64Array;
  commanded: boolean;
}

export interface Place {
  row: string;
  position: number;
}

export interface EvidenceTracker {
  /** One score of rack `i` with the features that are believed (NaN: missing or suspect). */
  observe(
    i: number,
    x: Float64Array,
    about: {
      departure: Score["departure"] | null;
      sensors: readonly SensorAlarm[];
      commanded: boolean;
    },
  ): void;
  /** Brings what is compared among racks up to date; once for any number of `of`. */
  compare(): void;
  of(i: number): Observed;
}

/** Follows what every rack of a site shows, in the terms in which causes differ. */
export function trackEvidence(
  model: Pick<ModelFile, "scaler" | "centers" | "training">,
  places: readonly Place[],
): EvidenceTracker {
  const response = loadResponse(model);
  const tracks = places.map(newTrack);
  const rows = Map.groupBy(places.keys(), (i) => places[i]!.row);
  const row_of = places.map(({ row }) => rows.get(row)!);
  const neighbours = places.map(({ row, position }) =>
    rows.get(row)!.filter((i) => Math.abs(places[i]!.position - position) === 1),
  );
  const unexplained = places.map(() => new Float64Array(F).fill(Number.NaN));
  const load = new Float64Array(places.length).fill(Number.NaN);
  const site = new Float64Array(F).fill(Number.NaN);
  let site_load = Number.NaN;
  const inletOf = (racks: readonly number[]) =>
    median(racks.map((i) => unexplained[i]![INLET]!)) - site[INLET]!;
  return {
    observe(i, x, { departure, sensors, commanded }) {
      const track = tracks[i]!;
      track.commanded = commanded;
      for (let j = 0; j < F; j++) {
        const z = (x[j]! - model.scaler.mean[j]!) / model.scaler.scale[j]!;
        if (Number.isNaN(z)) {
          if (++track.silent[j]! > SILENT_MAX) track.fast[j] = Number.NaN;
          continue;
        }
        track.silent[j] = 0;
        track.fast[j] = blend(track.fast[j]!, z, FAST);
      }
      for (const [s, sign] of SIGNS.entries()) {
        const there = sign === departure || sensors.some(({ problem }) => problem === sign);
        track.signs[s] = track.signs[s]! + FAST * ((there ? 1 : 0) - track.signs[s]!);
      }
    },
    compare() {
      for (const [i, { fast }] of tracks.entries()) {
        load[i] = loadOf(fast);
        for (let j = 0; j < F; j++) unexplained[i]![j] = fast[j]! - response[j]! * load[i]!;
      }
      site_load = median(load);
      for (let j = 0; j < F; j++) site[j] = median(unexplained.map((u) => u[j]!));
    },
    of(i) {
      const track = tracks[i]!;
      const own = unexplained[i]!;
      const off = (j: number) => own[j]! - site[j]!;
      // What a commanded fan or pump does, and what follows from it, is no fault's trace.
      const free = (j: number) => (track.commanded ? Number.NaN : off(j));
      const values = Float64Array.of(
        load[i]! - site_load,
        off(INLET),
        free(at("outlet_c")),
        free(at("delta_t")),
        off(at("pdu_kw")),
        off(at("latency_p95_ms")),
        off(at("queue_depth")),
        free(at("fan_rpm_pct")),
        free(at("pump_rpm_pct")),
        inletOf(row_of[i]!.filter((other) => other !== i)),
        inletOf(neighbours[i]!),
      );
      return { values, signs: track.signs.slice() };
    },
  };
}

const INLET = at("inlet_c");
const LOAD_FEATURES = [at("tokens_ps"), at("gpu_power_kw")];

function newTrack(): Track {
  return {
    fast: new Float64Array(F).fill(Number.NaN),
    silent: new Int32Array(F),
    signs: new Float64Array(SIGNS.length),
    commanded: false,
  };
}

function blend(before: number, value: number, weight: number): number {
  return Number.isNaN(before) ? value : before + weight * (value - before);
}

/** Mean of the load's quantities that are known. */
function loadOf(z: ArrayLike<number>): number {
  const known = LOAD_FEATURES.map((j) => z[j]!).filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/**
 * How many standard deviations each feature moves per standard deviation of load in nominal operation: the regression
 * over the model's clusters, weighted with their sizes.
 */
function loadResponse({
  centers,
  training,
  scaler,
}: Pick<ModelFile, "scaler" | "centers" | "training">): Float64Array {
  const sizes = training.cluster_sizes;
  const load = centers.map(loadOf);
  const square = load.reduce((sum, value, k) => sum + (sizes[k] ?? 1) * value * value, 0);
  return Float64Array.from(scaler.scale, (_, j) =>
    square > 0 ? centers.reduce((sum, c, k) => sum + (sizes[k] ?? 1) * c[j]! * load[k]!, 0) / square : 0,
  );
}

function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(Array.from(values).filter((value) => !Number.isNaN(value))).sort();
  if (sorted.length === 0) return Number.NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
