import type { SavingsConfig } from "../../shared/contracts/config.ts";
import type { RackMinute } from "../store/store.ts";

/** A quarter of an hour, as utilities meter: long against the racks' thermal time constants of minutes. */
export const INTERVAL_MS = 900_000;
const MINUTE_H = 1 / 60;

/** What the reporting racks used in one interval. */
export interface EnergyInterval {
  start_ms: number;
  /** Hours of racks whose power and load are both known; figures below cover these alone. */
  rack_hours: number;
  /** Measured: IT and fans. */
  pdu_kwh: number;
  /** Modelled from telemetry: coolant pumps (cube of their speed), chillers and air handlers (heat over COP). */
  pump_kwh: number;
  cooling_kwh: number;
  tokens: number;
  /** Mean share of racks that ran on a setpoint from here; the site's supply air counts for all of them. */
  driven_share: number;
  /** Whether nothing was driven in this interval and the one before: the plant as it would be without Skadi. */
  unoptimised: boolean;
}

export const totalKwh = (interval: EnergyInterval): number =>
  interval.pdu_kwh + interval.pump_kwh + interval.cooling_kwh;

/** Mean load of a rack in the interval. */
export const tokensPs = (interval: EnergyInterval): number => interval.tokens / (interval.rack_hours * 3600);

export interface DrivenState {
  driven_share: number;
  unoptimised: boolean;
  /** Setpoint of the site's supply air. */
  supply_c: number;
}

/** Adds up one interval from the minutes of its racks; null where none is known. */
export function toInterval(
  start_ms: number,
  minutes: readonly RackMinute[],
  state: DrivenState,
  config: SavingsConfig,
): EnergyInterval | null {
  const { driven_share, unoptimised, supply_c } = state;
  const interval = {
    ...{ start_ms, rack_hours: 0, pdu_kwh: 0, pump_kwh: 0, cooling_kwh: 0, tokens: 0 },
    ...{ driven_share, unoptimised },
  };
  for (const { mean } of minutes) {
    if (mean.pdu_kw === null || mean.tokens_ps === null) continue;
    const pump_kw = config.pump_full_kw * ((mean.pump_rpm_pct ?? 0) / 100) ** 3;
    interval.rack_hours += MINUTE_H;
    interval.pdu_kwh += mean.pdu_kw * MINUTE_H;
    interval.pump_kwh += pump_kw * MINUTE_H;
    interval.cooling_kwh += coolingKw(mean, mean.pdu_kw, pump_kw, supply_c, config) * MINUTE_H;
    interval.tokens += mean.tokens_ps * 60;
  }
  return interval.rack_hours > 0 ? interval : null;
}

/**
 * Electricity to get rid of one rack's heat, in kW: heat over COP for the air's and the water's share, and the blowers.
 * The air carries flow · (outlet − inlet), flow being proportional to fan speed; the water carries the rest. COP rises
 * by 2–3 % per K of delivered temperature (ASHRAE Handbook, HVAC Systems, ch. 43).
 */
function coolingKw(
  mean: RackMinute["mean"],
  pdu_kw: number,
  pump_kw: number,
  supply_c: number,
  config: SavingsConfig,
): number {
  const { inlet_c, outlet_c, fan_rpm_pct } = mean;
  const cop = (at_ref: number, delivered_c: number) =>
    at_ref * (1 + config.cop_per_k * (delivered_c - config.cop_ref_c));
  const known = inlet_c !== null && outlet_c !== null && fan_rpm_pct !== null;
  const carried_kw = known ? config.air_kw_per_k * (fan_rpm_pct / 100) * (outlet_c - inlet_c) : pdu_kw;
  const air_kw = Math.max(0, Math.min(pdu_kw, carried_kw));
  const water_kw = pdu_kw - air_kw + pump_kw;
  return (
    air_kw / cop(config.air_cop, supply_c) +
    water_kw / cop(config.water_cop, config.water_c) +
    config.blower_kw
  );
}
