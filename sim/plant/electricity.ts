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
    const leakage = 1 + p.leakage_per_k * (racks.mass_c[i]! - p.leakage_ref_c);
    const it_kw = (p.idle_kw + dynamic_kw) * leakage;
    const gpu_kw = it_kw * p.gpu_share;
    racks.it_kw[i] = it_kw;
    racks.gpu_kw[i] = gpu_kw;
    racks.gpu_energy_j[i]! += gpu_kw * 1000 * dt_s;

    // Affinity laws: power grows with the cube of the speed.
    racks.fan_kw[i] = p.fan_full_kw * cube(racks.fan_pct[i]! / 100);
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

export function cube(x: number): number {
  return x * x * x;
}
