import type { Random } from "../random.ts";
import { squaredDistance } from "./euclidean.ts";

/**
 * First centres for k-means by k-means++ (Arthur & Vassilvitskii, 2007) in its greedy form: rows are drawn one after
 * the other, each with a probability that grows with its squared distance to the nearest centre so far, and of a few
 * drawn the one is taken that brings all rows nearest.
 *
 * @param z row-major, n × features, n ≥ k
 * @returns k × features
 */
export function spreadCenters(z: Float64Array, features: number, k: number, random: Random): Float64Array {
  const rows = z.length / features;
  const candidates = 2 + Math.floor(Math.log(k));
  const centers = new Float64Array(k * features);
  let d2 = new Float64Array(rows).fill(Number.MAX_VALUE / rows);
  for (let c = 0; c < k; c++) {
    const tried = Array.from({ length: c === 0 ? 1 : candidates }, () => {
      const row = drawnIndex(d2, random);
      return {
        row,
        d2: d2.map((nearest, i) =>
          Math.min(nearest, squaredDistance(z, row * features, z, i * features, features)),
        ),
      };
    });
    const best = tried.reduce((a, b) => (sum(b.d2) < sum(a.d2) ? b : a));
    centers.set(z.subarray(best.row * features, (best.row + 1) * features), c * features);
    d2 = best.d2;
  }
  return centers;
}

/** An index, drawn with probabilities in proportion to the weights; the last one if they are all 0. */
function drawnIndex(weights: Float64Array, random: Random): number {
  let left = random.uniform() * sum(weights);
  for (let i = 0; i < weights.length - 1; i++) {
    left -= weights[i]!;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
