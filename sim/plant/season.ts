import type { RackConditions } from "./conditions.ts";

/** What of the weather reaches the hall: coils and dry coolers follow it in part, the chillers do the rest. */
const SUPPLY_SHARE = 0.1;
const WATER_SHARE = 0.13;

/**
 * What a season does to a hall in good health: air and water arrive a little warmer (or, below 0, colder), the racks'
 * own controls answer with other speeds, and the chillers have more to lift.
 *
 * @param warmer_k how much warmer it is outdoors than the plant's constants assume
 */
export function seasonConditions(warmer_k: number): Partial<RackConditions> {
  return {
    supply_bias_c: SUPPLY_SHARE * warmer_k,
    water_bias_c: WATER_SHARE * warmer_k,
    outdoor_bias_c: warmer_k,
  };
}
