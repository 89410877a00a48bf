import type { ModelFile, ModelKind } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { seededRandom } from "../../shared/random.ts";

const F = FEATURES.length;
export const LIMITS = { inlet_c: 28, latency_p95_ms: 250, rack_kw: 12 };

/** [centre, half-width] of each feature in a plain nominal operation, in the order of FEATURES. */
const NOMINAL_FEATURES = [
  [22.5, 1.5],
  [35.5, 2.5],
  [13, 2],
  [8, 2],
  [5.6, 1.4],
  [8500, 1500],
  [185, 35],
  [37, 22],
  [65, 10],
  [57, 7],
] as const;

/** Random rows of nominal operation, row-major. */
export function nominalRows(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const rows = new Float64Array(count * F);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < F; j++) {
      const [centre, half] = NOMINAL_FEATURES[j]!;
      rows[i * F + j] = random.range(centre - half, centre + half);
    }
  }
  return rows;
}

export function smallModel(
  options: { seed?: number; created_ms?: number; clusters?: number; kind?: ModelKind } = {},
): ModelFile {
  const { seed = 1, created_ms = Date.UTC(2026, 0, 1), clusters = 4, kind = "kmeans" } = options;
  const common = { limits: LIMITS, data: "test", created_ms };
  return trainModel(nominalRows(2_000, seed), { clusters, seed, kind, ...common });
}
