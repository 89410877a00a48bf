import type { HealthDescription } from "../../shared/contracts/health.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { trainHealth } from "../../shared/ims/train-health.ts";
import { type Random, seededRandom } from "../../shared/random.ts";
import { LIMITS } from "./models.ts";

const F = FEATURES.length;
/** Value at half load, rise from no load to full load, and sensor noise, in the order of FEATURES. */
const SHAPE = [
  [22, 2, 0.3],
  [35, 6, 0.5],
  [13, 4, 0],
  [7, 4, 0.15],
  [5, 3, 0.02],
  [7_000, 6_000, 30],
  [180, 60, 8],
  [35, 30, 3],
  [60, 20, 1],
  [55, 15, 1],
] as const;

/** One window of a rack in which everything follows the load (0 to 1), as its sensors see it. */
export function rackWindow(load: number, random: Random): Float64Array {
  const x = Float64Array.from(
    SHAPE,
    ([middle, rise, noise]) => middle + rise * (load - 0.5) + noise * random.normal(),
  );
  x[FEATURES.indexOf("delta_t")] = x[1]! - x[0]!;
  return x;
}

/** A load that swings slowly, one period in 4,000 windows. */
export function loadAt(window: number): number {
  return 0.5 + 0.4 * Math.sin((2 * Math.PI * window) / 4_000);
}

export function healthyRows(windows: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const rows = new Float64Array(windows * F);
  for (let i = 0; i < windows; i++) rows.set(rackWindow(loadAt(i), random), i * F);
  return rows;
}

export function smallHealth(): HealthDescription {
  const series = [1, 2, 3].map((seed) => healthyRows(4_000, seed));
  return trainHealth(series, { limits: LIMITS, data: "test", created_ms: Date.UTC(2026, 0, 1) });
}
