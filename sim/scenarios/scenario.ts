import { rowOf } from "../../shared/contracts/rack.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Plant } from "../plant/plant.ts";
import { heatSpike } from "./heat-spike.ts";
import { overcooledRow } from "./overcooled-row.ts";
import { seasonShift } from "./season-shift.ts";

/** Something that can be played on a running plant, and undone. */
export interface Scenario {
  name: string;
  aliases: readonly string[];
  description: string;
  /** Starts it and returns what ends it; ending twice is harmless. */
  start(plant: Plant): () => void;
}

export const SCENARIOS: readonly Scenario[] = [heatSpike, overcooledRow, seasonShift];

/** By name or alias. Throws SKADI_NOT_FOUND. */
export function findScenario(name: string): Scenario {
  const scenario = SCENARIOS.find((s) => s.name === name || s.aliases.includes(name));
  if (scenario) return scenario;
  const expected = SCENARIOS.flatMap((s) => [s.name, ...s.aliases]).join(", ");
  throw skadiError("SKADI_NOT_FOUND", { field: "scenario", value: name, expected });
}

/** The racks of a row; a site without that row plays the scenario on the row of its first rack. */
export function scenarioRacks(plant: Plant, row: string): string[] {
  const there = plant.rack_ids.some((id) => rowOf(id) === row);
  const chosen = there ? row : rowOf(plant.rack_ids[0] ?? "");
  return plant.rack_ids.filter((id) => rowOf(id) === chosen);
}
