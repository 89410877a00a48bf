import type { RackTarget } from "../../shared/contracts/action.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import type { Random } from "../../shared/random.ts";
import type { Plant } from "../plant/plant.ts";

/**
 * A commissioning run: setpoints are swept through the envelope that an optimiser may use, row by row and step by
 * step, while the hall works. A model that has seen it knows slow fans, fast pumps, wide batching windows and warm
 * supply air as nominal; one that has not calls them deviations.
 */
const SWEPT: Partial<Record<RackTarget, readonly [low: number, high: number]>> = {
  fan_rpm_pct: [40, 66],
  pump_rpm_pct: [45, 85],
  batch_window_ms: [0, 80],
  routing_weight_pct: [80, 100],
};
const SUPPLY_C = [18.5, 25.5] as const;
/** Long enough for the racks' thermal mass and the supply air to settle. */
const HOLD_S = 900;
const SUPPLY_HOLD_S = 2_700;
/** The device keeps its own control in this share of the steps, so that the model knows it as well. */
const AUTOMATIC_SHARE = 0.25;
/** Rack by rack within a row the same step, give or take this share of the range. */
const RACK_SHARE = 0.1;

export interface Commissioning {
  advance(seconds: number): void;
  /** Hands every device back. */
  end(): void;
}

export function createCommissioning(plant: Plant, random: Random): Commissioning {
  let left_s = 0;
  let supply_left_s = 0;
  const rows = [...new Set(plant.rack_ids.map(rowOf))];
  const step = () => {
    for (const row of rows) {
      const racks = plant.rack_ids.filter((rack_id) => rowOf(rack_id) === row);
      for (const [target, range] of Object.entries(SWEPT) as [RackTarget, readonly [number, number]][]) {
        const automatic = random.uniform() < AUTOMATIC_SHARE;
        const centre = random.range(...range);
        for (const rack_id of racks) plant.setTarget(rack_id, target, automatic ? null : near(centre, range));
      }
    }
  };
  const near = (centre: number, [low, high]: readonly [number, number]) => {
    const by = RACK_SHARE * (high - low) * (2 * random.uniform() - 1);
    return Math.max(low, Math.min(high, centre + by));
  };
  return {
    advance(seconds) {
      left_s -= seconds;
      supply_left_s -= seconds;
      if (left_s <= 0) {
        step();
        left_s = HOLD_S;
      }
      if (supply_left_s <= 0) {
        plant.setSupply(random.range(...SUPPLY_C));
        supply_left_s = SUPPLY_HOLD_S;
      }
    },
    end() {
      plant.setSupply(null);
      for (const rack_id of plant.rack_ids) {
        for (const target of Object.keys(SWEPT) as RackTarget[]) plant.setTarget(rack_id, target, null);
      }
    },
  };
}
