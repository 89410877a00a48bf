import type { Limits } from "../contracts/config-parts.ts";
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
  const anomalous_at: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * F;
    if (filter ? isNominal(rows, at, filter) : isComplete(rows, at, F)) is_nominal[i] = 1;
    else if (filter && isComplete(rows, at, F)) anomalous_at.push(at);
  }
  const anomalous = new Float64Array(anomalous_at.length * F);
  let used = 0;
  for (const at of anomalous_at) for (let j = 0; j < F; j++) anomalous[used++] = rows[at + j]!;
  return { nominal: rows.subarray(0, moveToFront(rows, is_nominal, F)), anomalous };
}

/** Moves the flagged rows to the front, a run of them at a time; returns how many values they are. */
function moveToFront(rows: Float64Array, flags: Uint8Array, F: number): number {
  let used = 0;
  for (let from = flags.indexOf(1); from >= 0; ) {
    const end = flags.indexOf(0, from);
    const to = end < 0 ? flags.length : end;
    rows.copyWithin(used, from * F, to * F);
    used += (to - from) * F;
    from = flags.indexOf(1, to);
  }
  return used;
}

function isComplete(rows: Float64Array, at: number, F: number): boolean {
  for (let j = 0; j < F; j++) if (Number.isNaN(rows[at + j])) return false;
  return true;
}
