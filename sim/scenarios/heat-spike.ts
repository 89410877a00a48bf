import { type Scenario, scenarioRacks } from "./scenario.ts";

/** Demand on each rack, whatever the hour. */
const NODES_TOKENS_PS = 12_500;
/** What the added nodes leave of each rack's cold air and coolant. */
const TILE_SHARE_LEFT = 0.76;
const COOLANT_SHARE_LEFT = 0.67;

/**
 * AI nodes are added to row C without more cooling: full load at any hour, less cold air and coolant for each.
 * More fan speed cannot help, since the tiles have no more to give; less heat can.
 */
export const heatSpike: Scenario = {
  name: "heat_spike",
  aliases: ["add_ai_nodes_row_c"],
  description: "Row C gets extra AI nodes: full load on every rack and less cooling for each",
  start(plant) {
    const handle = plant.impose(scenarioRacks(plant, "C"), {
      load_floor_tokens_ps: NODES_TOKENS_PS,
      tile_factor: TILE_SHARE_LEFT,
      pump_capacity: COOLANT_SHARE_LEFT,
    });
    return () => plant.clear(handle);
  },
};
