import { describe, expect, it } from "vitest";
import { racksOf, rowOf } from "../../../shared/contracts/rack.ts";
import { createPlant, type Plant } from "../../../sim/plant/plant.ts";
import { REGIMES, type Regime } from "../../../sim/plant/truth.ts";
import { PROFILE_FIELDS, PROFILES } from "../../../sim/profiles/profiles.ts";
import { findScenario } from "../../../sim/scenarios/scenario.ts";
import { readWindow } from "../../../sim/site/window.ts";

const RACKS = racksOf(["A", "B", "C", "D", "E", "F"], 12);
const SETTLE_S = 900;
const WINDOW_S = 5;
const WINDOWS = 60;
/** The recipe adds noise of 5 % of a range's width; three of them widen the range. */
const WIDENED = 3 * 0.05;

const busy = (plant: Plant, id: string) => plant.truth(id).demand_tokens_ps > 9_900;

/** What drives a rack into each regime: the hour, the kind of its users, a scenario. */
const DRIVERS: Record<
  Regime,
  { hour: number; scenario?: string; racks: (plant: Plant, id: string) => boolean }
> = {
  under_utilized: { hour: 2.5, racks: () => true },
  nominal: { hour: 13, racks: (plant, id) => !busy(plant, id) },
  high_load: { hour: 13, racks: busy },
  thermal_event: { hour: 13, scenario: "heat_spike", racks: (_, id) => rowOf(id) === "C" },
  overcooled: {
    hour: 13,
    scenario: "overcooled_row_e",
    racks: (plant, id) => rowOf(id) === "E" && !busy(plant, id),
  },
};

describe.each(REGIMES)("the plant in %s", (regime) => {
  const { hour, scenario, racks } = DRIVERS[regime];
  const plant = createPlant({ rack_ids: RACKS, seed: 7, start_ms: Date.UTC(2026, 0, 15) + hour * 3.6e6 });
  if (scenario) findScenario(scenario).start(plant);
  for (let s = 0; s < SETTLE_S; s++) plant.step(1);
  const chosen = RACKS.filter((id) => racks(plant, id));
  const windows = Array.from({ length: WINDOWS }, () => readWindow(plant, chosen, WINDOW_S)).flat();

  it("carries the regime's label on every rack", () => {
    expect(chosen.length).toBeGreaterThan(4);
    expect(new Set(chosen.map((id) => plant.truth(id).regime))).toEqual(new Set([regime]));
  });

  it.each(PROFILE_FIELDS)("has %s in the recipe's range", (field) => {
    const [low, high] = PROFILES[regime][field];
    const values = windows.map((window) => window[field]!);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean).toBeGreaterThanOrEqual(low);
    expect(mean).toBeLessThanOrEqual(high);

    const slack = WIDENED * (high - low);
    const inside = values.filter((value) => value >= low - slack && value <= high + slack).length;
    expect(inside / values.length).toBeGreaterThanOrEqual(0.9);
  });
});
