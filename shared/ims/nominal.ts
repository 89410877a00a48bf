import type { Limits } from "../contracts/config-parts.ts";
import { FEATURES } from "./features.ts";

const INLET = FEATURES.indexOf("inlet_c");
const DELTA_T = FEATURES.indexOf("delta_t");
const PDU = FEATURES.indexOf("pdu_kw");
const LATENCY = FEATURES.indexOf("latency_p95_ms");

const PDU_IDLE_KW = 2;
const PDU_CAP_SHARE = 0.95;

/**
 * The nominal filter of design §4: inlet ≤ 28 °C, p95 ≤ 250 ms, delta-T > 0, 2 kW < PDU < 0.95 × the rack's cap.
 * A missing (NaN) feature is not nominal.
 *
 * @param x row-major features, `FEATURES.length` per row
 * @param at index of the row's first feature
 */
export function isNominal(x: Float64Array, at: number, limits: Limits): boolean {
  for (let j = 0; j < FEATURES.length; j++) if (Number.isNaN(x[at + j])) return false;
  return (
    x[at + INLET]! <= limits.inlet_c &&
    x[at + LATENCY]! <= limits.latency_p95_ms &&
    x[at + DELTA_T]! > 0 &&
    x[at + PDU]! > PDU_IDLE_KW &&
    x[at + PDU]! < PDU_CAP_SHARE * limits.rack_kw
  );
}
