import type { RackConditions } from "./conditions.ts";
import type { SensorField } from "./sensors.ts";

/** Faults of the equipment; `severity` is 0 (nothing) to 1 (total loss, or as the table below says). */
export type EquipmentFault = {
  kind: "fan_failure" | "pump_degradation" | "tile_blockage" | "crah_failure" | "load_surge";
  rack_id: string;
  severity: number;
};

/** Faults of one sensor; the physics goes on untouched. */
export type SensorFault = {
  kind: "sensor_stuck" | "sensor_drift" | "sensor_dropout" | "sensor_spike";
  rack_id: string;
  field: SensorField;
  severity: number;
};

export type Fault = EquipmentFault | SensorFault;
export type FaultKind = Fault["kind"];

/** Every kind, in the order of reports. */
export const FAULT_KINDS: readonly FaultKind[] = [
  "fan_failure",
  "pump_degradation",
  "tile_blockage",
  "crah_failure",
  "load_surge",
  "sensor_stuck",
  "sensor_drift",
  "sensor_dropout",
  "sensor_spike",
];

/** Supply air that a lost air handler's neighbours can still give its row, above the setpoint. */
const CRAH_LOSS_K = 9;

/** What an equipment fault does to the rack, or to the whole row where the row shares the equipment. */
export const EQUIPMENT_FAULTS: Record<
  EquipmentFault["kind"],
  { scope: "rack" | "row"; conditions: (severity: number) => Partial<RackConditions> }
> = {
  /** Severity: share of the rack's fans that stand still. */
  fan_failure: { scope: "rack", conditions: (s) => ({ fan_capacity: 1 - s }) },
  /** Severity: share of the coolant flow that is lost at unchanged pump speed. */
  pump_degradation: { scope: "rack", conditions: (s) => ({ pump_capacity: 1 - s }) },
  /** Severity: share of the tile's air that is blocked. */
  tile_blockage: { scope: "rack", conditions: (s) => ({ tile_factor: 1 - s }) },
  /** The row's air handler fails; the others take the heat, at a warmer supply. */
  crah_failure: { scope: "row", conditions: (s) => ({ supply_bias_c: CRAH_LOSS_K * s }) },
  /** Severity 1 doubles the rack's demand. */
  load_surge: { scope: "rack", conditions: (s) => ({ load_factor: 1 + s }) },
};

export function isSensorFault(fault: Fault): fault is SensorFault {
  return fault.kind.startsWith("sensor_");
}
