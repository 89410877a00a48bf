import { type Scenario, scenarioRacks } from "./scenario.ts";

/** Misconfigured cooling: colder and more supply air, fans and pumps far above their curves. */
const SUPPLY_BIAS_C = -2.5;
const TILE_FACTOR = 1.4;
const FAN_BIAS_PCT = 28;
const PUMP_BIAS_PCT = 21;

/** Row E is cooled far more than its load needs: nothing is in danger, energy is wasted. */
export const overcooledRow: Scenario = {
  name: "overcooled_row_e",
  aliases: [],
  description: "Row E's supply, fans and pumps are set far too cold",
  start(plant) {
    const handle = plant.impose(scenarioRacks(plant, "E"), {
      supply_bias_c: SUPPLY_BIAS_C,
      tile_factor: TILE_FACTOR,
      fan_bias_pct: FAN_BIAS_PCT,
      pump_bias_pct: PUMP_BIAS_PCT,
    });
    return () => plant.clear(handle);
  },
};
