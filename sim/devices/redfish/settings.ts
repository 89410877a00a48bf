import type { Instruments } from "../instruments.ts";
import type { SpeedControl } from "../speed-control.ts";
import type { Problem } from "./messages.ts";

const CONTROL_MODES = ["Automatic", "Override", "Manual"] as const;
type ControlMode = (typeof CONTROL_MODES)[number];

export const POWER_LIMIT_RANGE_W = [3_000, 15_000] as const;

/** What clients can change; every change is checked as a whole before any of it is carried out. */
export interface RedfishSettings {
  fan: ControlSetting;
  pump: ControlSetting;
  /** null: no limit. */
  readonly power_limit_w: number | null;
  setPowerLimit(value: unknown, property: string): Problem[];
}

/** A speed control with the mode as DMTF's Control schema names it. */
export interface ControlSetting {
  readonly speed: SpeedControl;
  readonly mode: ControlMode;
  /** Takes `SetPoint` and `ControlMode`, both optional; a set point without a mode overrides. */
  patch(change: Record<string, unknown>, path?: string): Problem[];
}

export function redfishSettings(device: Instruments): RedfishSettings {
  return {
    fan: controlSetting(device.fan),
    pump: controlSetting(device.pump),
    get power_limit_w() {
      return device.power_cap.watts;
    },
    setPowerLimit(value, property) {
      const [min_w, max_w] = POWER_LIMIT_RANGE_W;
      if (value !== null && typeof value !== "number") return [{ id: "PropertyValueTypeError", property }];
      if (value !== null && !(value >= min_w && value <= max_w)) {
        return [{ id: "PropertyValueOutOfRange", property }];
      }
      device.power_cap.set(value);
      return [];
    },
  };
}

function controlSetting(speed: SpeedControl): ControlSetting {
  let manual_mode: Exclude<ControlMode, "Automatic"> = "Manual";
  return {
    speed,
    get mode() {
      return speed.automatic ? "Automatic" : manual_mode;
    },
    patch(change, path = "") {
      const problems = Object.entries(change).flatMap(([name, value]): Problem[] => {
        const property = `${path}${name}`;
        if (name === "SetPoint") return setPointProblems(speed, value, property);
        if (name === "ControlMode") return modeProblems(value, property);
        return [{ id: READ_ONLY.has(name) ? "PropertyNotWritable" : "PropertyUnknown", property }];
      });
      if (problems.length > 0) return problems;
      const { SetPoint, ControlMode } = change as { SetPoint?: number; ControlMode?: ControlMode };
      if (SetPoint !== undefined) speed.override(SetPoint);
      if (ControlMode !== undefined) {
        if (ControlMode !== "Automatic") manual_mode = ControlMode;
        speed.setAutomatic(ControlMode === "Automatic");
      }
      return [];
    },
  };
}

const READ_ONLY = new Set([
  "Id",
  "Name",
  "AllowableMin",
  "AllowableMax",
  "SetPointUnits",
  "Status",
  "Reading",
]);

function setPointProblems(speed: SpeedControl, value: unknown, property: string): Problem[] {
  if (typeof value !== "number") return [{ id: "PropertyValueTypeError", property }];
  return speed.accepts(value) ? [] : [{ id: "PropertyValueOutOfRange", property }];
}

function modeProblems(value: unknown, property: string): Problem[] {
  if (typeof value !== "string") return [{ id: "PropertyValueTypeError", property }];
  return (CONTROL_MODES as readonly string[]).includes(value)
    ? []
    : [{ id: "PropertyValueNotInList", property }];
}
