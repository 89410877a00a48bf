import { LINE_VOLTAGE_V, POWER_FACTOR } from "../circuits.ts";
import type { Instruments } from "../instruments.ts";
import type { Problem } from "./messages.ts";
import { POWER_LIMIT_RANGE_W, type RedfishSettings } from "./settings.ts";
import { FAN_FULL_RPM, FANS } from "./thermal.ts";
import {
  CHASSIS,
  excerpt,
  type Json,
  nested,
  OK,
  type ResourceTree,
  rounded,
  rpm,
  statusOfValue,
} from "./tree.ts";

/** Power in the older resource and in the newer ones, and the environment's summary. */
export function addPower({ add }: ResourceTree, device: Instruments, settings: RedfishSettings): void {
  const [min_w, max_w] = POWER_LIMIT_RANGE_W;
  add(
    `${CHASSIS}/Power`,
    "#Power.v1_7_2.Power",
    "Power",
    () => ({
      PowerControl: [
        {
          "@odata.id": `${CHASSIS}/Power#/PowerControl/0`,
          MemberId: "0",
          Name: "Rack Power Control",
          PowerConsumedWatts: device.watts(),
          PowerCapacityWatts: max_w,
          PowerLimit: { LimitInWatts: settings.power_limit_w, LimitException: "NoAction" },
          Status: statusOfValue(device.watts()),
        },
      ],
      Voltages: [
        {
          "@odata.id": `${CHASSIS}/Power#/Voltages/0`,
          MemberId: "0",
          Name: "Line Voltage",
          ReadingVolts: LINE_VOLTAGE_V,
          Status: OK,
        },
      ],
    }),
    (body) => patchPower(body, settings),
  );
  const subsystem = `${CHASSIS}/PowerSubsystem`;
  add(subsystem, "#PowerSubsystem.v1_1_2.PowerSubsystem", "Power Subsystem", () => ({
    CapacityWatts: max_w,
    Allocation: { AllocatedWatts: settings.power_limit_w ?? max_w, RequestedWatts: max_w },
    Status: OK,
  }));
  add(
    `${CHASSIS}/EnvironmentMetrics`,
    "#EnvironmentMetrics.v1_3_2.EnvironmentMetrics",
    "Environment Metrics",
    () => {
      const { inlet_c, fan_rpm_pct } = device.read();
      return {
        TemperatureCelsius: excerpt(inlet_c, "InletTemp"),
        PowerWatts: {
          ...excerpt(device.watts(), "PowerConsumed", 0),
          ApparentVA: apparentVa(device.watts()),
          PowerFactor: POWER_FACTOR,
        },
        EnergykWh: excerpt(device.energy_wh() / 1000, "EnergyConsumed", 3),
        FanSpeedsPercent: FANS.map((name) => ({
          DeviceName: name,
          ...excerpt(fan_rpm_pct, "FanSpeed"),
          SpeedRPM: rpm(fan_rpm_pct, FAN_FULL_RPM),
        })),
        PowerLimitWatts: {
          SetPoint: settings.power_limit_w,
          ControlMode: settings.power_limit_w === null ? "Disabled" : "Automatic",
          AllowableMin: min_w,
          AllowableMax: max_w,
        },
      };
    },
    (body) =>
      nested(body, "PowerLimitWatts", (limit) =>
        nested(limit, "SetPoint", (value) => settings.setPowerLimit(value, "PowerLimitWatts/SetPoint")),
      ),
  );
}

function patchPower(body: Json, settings: RedfishSettings): Problem[] {
  return nested(body, "PowerControl", (list) => {
    const property = "PowerControl";
    if (!Array.isArray(list)) return [{ id: "PropertyValueTypeError", property }];
    return nested(list[0], "PowerLimit", (limit) =>
      nested(limit, "LimitInWatts", (value) =>
        settings.setPowerLimit(value, "PowerControl/0/PowerLimit/LimitInWatts"),
      ),
    );
  });
}

function apparentVa(watts: number | null): number | null {
  return rounded(watts === null ? null : watts / POWER_FACTOR, 0);
}
