import { batchCost } from "../workload/serving.ts";
import type { PlantParameters } from "./parameters.ts";
import type { Racks } from "./racks.ts";

/** What each rack draws in this step, and the junction temperature that its GPUs reach by it. */
export function drawPower(racks: Racks, dt_s: number, p: PlantParameters): void {
  const follow = 1 - Math.exp(-dt_s / p.junction_lag_s);
  for (let i = 0; i < racks.count; i++) {
    const window_ms = racks.target.batch_window_ms[i]!;
    const cost = Number.isNaN(window_ms) ? 1 : batchCost(window_ms, p);
    const dynamic_kw = (racks.served_tokens_ps[i]! * p.joule_per_token * cost) / 1000;
    const leakage = leakageFactor(racks.mass_c[i]!, p);
    const it_kw = (p.idle_kw + dynamic_kw) * leakage;
    const gpu_kw = it_kw * p.gpu_share;
    racks.it_kw[i] = it_kw;
    racks.gpu_kw[i] = gpu_kw;
    racks.gpu_energy_j[i]! += gpu_kw * 1000 * dt_s;

    // Affinity laws: power grows with the cube of the speed.
    racks.fan_kw[i] = fanPower(racks.fan_pct[i]!, p);
    racks.pump_kw[i] = p.pump_full_kw * cube(racks.pump_pct[i]! / 100);

    const junction_c = racks.mass_c[i]! + p.junction_k_per_kw * gpu_kw;
    racks.junction_c[i]! += follow * (junction_c - racks.junction_c[i]!);
  }
}

/** The share of its clock that each rack keeps: above the onset the GPUs slow down in proportion. */
export function throttle(racks: Racks, clock_share: Float64Array, p: PlantParameters): void {
  for (let i = 0; i < racks.count; i++) {
    const excess_k = Math.max(0, racks.junction_c[i]! - p.throttle_c);
    clock_share[i] = Math.max(p.throttle_floor, 1 - p.throttle_per_k * excess_k);
  }
}

/**
 * Holds racks under their power caps: the firmware lowers the clocks until even a fully busy rack draws no more than
 * the cap, fans included. Serving less is what saves; so it cannot go below what the rack draws when idle.
 */
export function capPower(racks: Racks, clock_share: Float64Array, p: PlantParameters): void {
  const full_dynamic_kw = (p.capacity_tokens_ps * p.joule_per_token) / 1000;
  for (let i = 0; i < racks.count; i++) {
    const cap_kw = racks.target.power_cap_kw[i]!;
    if (Number.isNaN(cap_kw)) continue;
    const it_kw = cap_kw - fanPower(racks.fan_pct[i]!, p);
    const dynamic_kw = it_kw / leakageFactor(racks.mass_c[i]!, p) - p.idle_kw;
    const share = Math.max(p.capped_floor, dynamic_kw / full_dynamic_kw);
    clock_share[i] = Math.min(clock_share[i]!, share);
  }
}

function leakageFactor(mass_c: number, p: PlantParameters): number {
  return 1 + p.leakage_per_k * (mass_c - p.leakage_ref_c);
}

function fanPower(fan_pct: number, p: PlantParameters): number {
  return p.fan_full_kw * cube(fan_pct / 100);
}

export function cube(x: number): number {
  return x * x * x;
}
