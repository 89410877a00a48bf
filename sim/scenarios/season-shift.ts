import { seasonConditions } from "../plant/season.ts";
import type { Scenario } from "./scenario.ts";

/** Between a mild and a warm season, outdoors. */
export const SEASON_K = 10;

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
