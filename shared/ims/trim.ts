import { seededRandom } from "../random.ts";
import { squaredDistance } from "./euclidean.ts";
import { cluster } from "./kmeans.ts";
import { fitScaler, standardise } from "./scaler.ts";
import { quantile } from "./statistics.ts";

const ROUNDS_MAX = 5;
/** Robust z-score above which a distance is an outlier (Iglewicz & Hoaglin, "How to Detect and Handle Outliers", 1993). */
const ROBUST_Z_MAX = 3.5;
const MAD_TO_STD = 1.4826;

export interface TrimOptions {
  /** At most this share of the rows is set aside, over all rounds. */
  share_max: number;
  clusters: number;
  seed: number;
}

/**
 * Sets contaminated rows aside: cluster, drop the rows whose distance is an outlier among the distances (median and
 * MAD, which contamination below one half cannot move far), and repeat on what remains, as a least-trimmed-squares
 * clustering does (Cuesta-Albertos, Gordaliza & Matrán, "Trimmed k-means", Annals of Statistics 25, 1997). A cluster
 * of fewer rows than may be dropped is not believed in: contamination that sits together would else be its own norm.
 *
 * @param x row-major nominal rows, n × names.length
 * @returns which rows to keep, ascending
 */
export function trimRows(x: Float64Array, names: readonly string[], options: TrimOptions): Uint32Array {
  const F = names.length;
  const rows = x.length / F;
  const spare = Math.floor(rows * options.share_max);
  let kept = Uint32Array.from({ length: rows }, (_, i) => i);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const d = believableDistances(takeRows(x, kept, F), names, options, spare);
    const sorted = d.toSorted();
    const median = quantile(sorted, 0.5);
    const mad = quantile(d.map((value) => Math.abs(value - median)).sort(), 0.5);
    const left = spare - (rows - kept.length);
    const by_cap = sorted[sorted.length - 1 - left]!;
    const limit = Math.max(median + ROBUST_Z_MAX * MAD_TO_STD * mad, by_cap);
    const next = kept.filter((_, i) => d[i]! <= limit);
    if (next.length === kept.length) break;
    kept = next;
  }
  return kept;
}

/** The given rows of a row-major matrix, in that order. */
export function takeRows(x: Float64Array, rows: Uint32Array, F: number): Float64Array {
  const out = new Float64Array(rows.length * F);
  for (let i = 0; i < rows.length; i++) out.set(x.subarray(rows[i]! * F, (rows[i]! + 1) * F), i * F);
  return out;
}

/** Distance of each row to the nearest centre of a cluster of more than `few` rows. */
function believableDistances(
  x: Float64Array,
  names: readonly string[],
  { clusters, seed }: TrimOptions,
  few: number,
): Float64Array {
  const F = names.length;
  const z = standardise(x, fitScaler(x, names));
  const { centers, sizes } = cluster(z, F, clusters, seededRandom(seed));
  const largest = Math.max(...sizes);
  const believed = [...sizes.keys()].filter((c) => sizes[c]! > few || sizes[c] === largest);
  return Float64Array.from({ length: z.length / F }, (_, i) => {
    let squared = Number.POSITIVE_INFINITY;
    for (const c of believed) squared = Math.min(squared, squaredDistance(centers, c * F, z, i * F, F));
    return Math.sqrt(squared);
  });
}
