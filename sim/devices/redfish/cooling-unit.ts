import type { Instruments } from "../instruments.ts";
import { controlExcerpt } from "./controls.ts";
import type { RedfishSettings } from "./settings.ts";
import {
  CDU,
  CHASSIS,
  excerpt,
  type Json,
  link,
  links,
  nested,
  OK,
  type ResourceTree,
  ROOT,
  rounded,
  rpm,
  statusOfValue,
} from "./tree.ts";

const PUMP_FULL_RPM = 4_200;

/** The in-rack CDU: its loop and its pump. */
export function addCoolingUnit(
  { add, collect }: ResourceTree,
  device: Instruments,
  settings: RedfishSettings,
): void {
  const equipment = `${ROOT}/ThermalEquipment`;
  add(equipment, "#ThermalEquipment.v1_1_1.ThermalEquipment", "Thermal Equipment", () => ({
    CDUs: link(`${equipment}/CDUs`),
    Status: OK,
  }));
  collect(`${equipment}/CDUs`, "CoolingUnit", ["1"]);
  add(CDU, "#CoolingUnit.v1_2_0.CoolingUnit", "In-rack CDU", () => ({
    EquipmentType: "CDU",
    Manufacturer: "Skadi simulator",
    CoolingCapacityWatts: 15_000,
    Coolant: { CoolantType: "Water" },
    ...links(CDU, ["Pumps", "SecondaryCoolantConnectors"]),
    Links: { Chassis: [link(CHASSIS)] },
    Status: OK,
  }));
  collect(`${CDU}/SecondaryCoolantConnectors`, "CoolantConnector", ["1"]);
  add(`${CDU}/SecondaryCoolantConnectors/1`, "#CoolantConnector.v1_1_0.CoolantConnector", "Rack Loop", () => {
    const { supply_c, return_c, flow_lpm, pressure_kpa, heat_kw } = device.loop();
    return {
      CoolantConnectorType: "Pair",
      SupplyTemperatureCelsius: excerpt(supply_c, "CoolantSupplyTemp"),
      ReturnTemperatureCelsius: excerpt(return_c, "CoolantReturnTemp"),
      DeltaTemperatureCelsius: { Reading: rounded(return_c - supply_c) },
      FlowLitersPerMinute: excerpt(flow_lpm, "CoolantFlow", 2),
      SupplyPressurekPa: { Reading: rounded(pressure_kpa, 0) },
      HeatRemovedkW: { Reading: rounded(heat_kw, 2) },
      Status: OK,
    };
  });
  collect(`${CDU}/Pumps`, "Pump", ["1"]);
  add(
    `${CDU}/Pumps/1`,
    "#Pump.v1_2_0.Pump",
    "Loop Pump",
    () => {
      const { pump_rpm_pct } = device.read();
      return {
        PumpType: "Liquid",
        PumpSpeedPercent: {
          ...excerpt(pump_rpm_pct, "PumpSpeed"),
          SpeedRPM: rpm(pump_rpm_pct, PUMP_FULL_RPM),
        },
        SpeedControlPercent: controlExcerpt(settings.pump),
        Status: statusOfValue(pump_rpm_pct),
      };
    },
    (body) =>
      nested(body, "SpeedControlPercent", (change) =>
        typeof change === "object" && change !== null
          ? settings.pump.patch(change as Json, "SpeedControlPercent/")
          : [{ id: "PropertyValueTypeError", property: "SpeedControlPercent" }],
      ),
  );
}
