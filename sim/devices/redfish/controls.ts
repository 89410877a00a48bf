import type { ControlSetting, RedfishSettings } from "./settings.ts";
import { CHASSIS, type Json, OK, type ResourceTree } from "./tree.ts";

/** DMTF's Control schema: what an agent drives. */
export function addControls({ add, collect }: ResourceTree, settings: RedfishSettings): void {
  collect(`${CHASSIS}/Controls`, "Control", ["FanSpeed", "PumpSpeed"]);
  const control = (id: string, name: string, setting: ControlSetting) =>
    add(
      `${CHASSIS}/Controls/${id}`,
      "#Control.v1_5_1.Control",
      name,
      () => ({
        ControlType: "Percent",
        ...controlExcerpt(setting),
        SetPointUnits: "%",
        Sensor: { DataSourceUri: `${CHASSIS}/Sensors/${id}` },
        Status: OK,
      }),
      (body) => setting.patch(body),
    );
  control("FanSpeed", "Fan Speed Control", settings.fan);
  control("PumpSpeed", "Pump Speed Control", settings.pump);
}

/** A control as resources embed it. */
export function controlExcerpt({ speed, mode }: ControlSetting): Json {
  const [AllowableMin, AllowableMax] = speed.range_pct;
  return { SetPoint: speed.setpoint_pct, ControlMode: mode, AllowableMin, AllowableMax };
}
