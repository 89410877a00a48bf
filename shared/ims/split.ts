import type { Limits } from "../contracts/config.ts";
import { FEATURES } from "./features.ts";
import { isNominal } from "./nominal.ts";

/**
 * Rows to learn from, and complete rows that are not; rows with a missing value are in neither.
 * The nominal filter speaks of the ten telemetry features, so it applies where a model's features begin with them;
 * of any other data, every complete row is taken to be nominal.
 *
 * @param rows row-major, n × features.length; used up: the nominal ones move to the front, because a copy of them would
 *   be the largest thing in memory
 */
export function splitRows(
  rows: Float64Array,
  features: readonly string[],
  limits: Limits | null,
): { nominal: Float64Array; anomalous: Float64Array } {
  const F = features.length;
  const filter = FEATURES.every((name, j) => features[j] === name) ? limits : null;
  const count = rows.length / F;
  const is_nominal = new Uint8Array(count);
  const is_complete = new Uint8Array(count);
  let anomalous_count = 0;
  for (let i = 0; i < count; i++) {
    is_complete[i] = isComplete(rows, i * F, F) ? 1 : 0;
    is_nominal[i] = is_complete[i] && (!filter || isNominal(rows, i * F, filter)) ? 1 : 0;
    anomalous_count += is_complete[i]! - is_nominal[i]!;
  }
  const anomalous = new Float64Array(anomalous_count * F);
  let nominal_at = 0;
  let anomalous_at = 0;
  for (let i = 0; i < count; i++) {
    if (!is_complete[i]) continue;
    const from = i * F;
    if (is_nominal[i]) for (let j = 0; j < F; j++) rows[nominal_at++] = rows[from + j]!;
    else for (let j = 0; j < F; j++) anomalous[anomalous_at++] = rows[from + j]!;
  }
  return { nominal: rows.subarray(0, nominal_at), anomalous };
}

function isComplete(rows: Float64Array, at: number, F: number): boolean {
  for (let j = 0; j < F; j++) if (Number.isNaN(rows[at + j])) return false;
  return true;
}
