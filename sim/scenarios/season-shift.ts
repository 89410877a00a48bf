import type { RackConditions } from "../plant/conditions.ts";
import type { Scenario } from "./scenario.ts";

/** Between a mild and a warm season, outdoors. */
export const SEASON_K = 10;
/** What of it reaches the hall: coils and dry coolers follow the weather in part, the chillers do the rest. */
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

/** Warm weather: nothing is broken and no limit is near, but inlet, outlet, fans and pumps are not what they were. */
export const seasonShift: Scenario = {
  name: "season_shift",
  aliases: ["summer"],
  description:
    "A warm season: the whole hall gets warmer air and water; healthy, but not what the model learnt",
  start(plant) {
    const handle = plant.impose(plant.rack_ids, seasonConditions(SEASON_K));
    return () => plant.clear(handle);
  },
};
