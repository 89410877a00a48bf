import type { Policy } from "./runs.ts";

/** Supply air above the design value, and what fans, pumps and batches are set to at low and at moderate load. */
const SUPPLY_C = 22.4;
const LOW = { load_max_tokens_ps: 7_000, fan_rpm_pct: 48, pump_rpm_pct: 42, batch_window_ms: 80 };
const MODERATE = { load_max_tokens_ps: 9_500, fan_rpm_pct: 53, pump_rpm_pct: 48, batch_window_ms: 60 };

const DRIVEN = ["fan_rpm_pct", "pump_rpm_pct", "batch_window_ms"] as const;

/** A scripted policy that surely saves: what it does matters less than that its saving can be told exactly. */
export const scriptedPolicy: Policy = {
  drive(plant) {
    plant.setSupply(SUPPLY_C);
    for (const rack_id of plant.rack_ids) {
      const load = plant.truth(rack_id).assigned_tokens_ps;
      const setting = [LOW, MODERATE].find(({ load_max_tokens_ps }) => load < load_max_tokens_ps);
      for (const target of DRIVEN) plant.setTarget(rack_id, target, setting?.[target] ?? null);
    }
    return SUPPLY_C;
  },
  release(plant) {
    plant.setSupply(null);
    for (const rack_id of plant.rack_ids) {
      for (const target of DRIVEN) plant.setTarget(rack_id, target, null);
    }
  },
};
