import { isoTime } from "../../shared/time.ts";
import { type Instruments, PROBES } from "./instruments.ts";
import { LINE_VOLTAGE_V, POWER_FACTOR } from "./power-feeds.ts";
import type { Problem } from "./redfish-messages.ts";
import { type ControlSetting, POWER_LIMIT_RANGE_W, type RedfishSettings } from "./redfish-settings.ts";

type Json = Record<string, unknown>;

/** One resource of the service: how it reads, and what a PATCH does where one is allowed. */
export interface Resource {
  read(): Json;
  patch?(body: Json): Problem[];
}

export const ROOT = "/redfish/v1";
const CHASSIS = `${ROOT}/Chassis/1`;
const CDU = `${ROOT}/ThermalEquipment/CDUs/1`;

const FANS = ["Fan 1", "Fan 2", "Fan 3", "Fan 4"];
const FAN_FULL_RPM = 9_000;
const PUMP_FULL_RPM = 4_200;

const OK = { State: "Enabled", Health: "OK" };
const LOST = { State: "UnavailableOffline", Health: "Critical" };
const statusOfValue = (value: number | null) => (value === null ? LOST : OK);
const round = (value: number, decimals = 1) => Math.round(value * 10 ** decimals) / 10 ** decimals;
const rounded = (value: number | null, decimals = 1) => (value === null ? null : round(value, decimals));

interface SensorDefinition {
  id: string;
  name: string;
  type: string;
  units: string;
  max: number;
  read(): number | null;
}

/** Everything below the service root except the sessions. */
export function redfishResources(device: Instruments, settings: RedfishSettings): Map<string, Resource> {
  const sensors = sensorDefinitions(device);
  const resources = new Map<string, Resource>();
  const add = (path: string, type: string, name: string, read: () => Json, patch?: Resource["patch"]) => {
    const id = path.split("/").at(-1);
    const head = { "@odata.id": path, "@odata.type": type, Id: id, Name: name };
    resources.set(path, { read: () => ({ ...head, ...read() }), ...(patch ? { patch } : {}) });
  };
  const collect = (path: string, type: string, members: readonly string[]) => {
    const links = members.map((member) => link(`${path}/${member}`));
    resources.set(path, {
      read: () => ({
        "@odata.id": path,
        "@odata.type": `#${type}Collection.${type}Collection`,
        Name: `${type} Collection`,
        "Members@odata.count": links.length,
        Members: links,
      }),
    });
  };

  collect(`${ROOT}/Chassis`, "Chassis", ["1"]);
  add(CHASSIS, "#Chassis.v1_25_0.Chassis", `Rack ${device.rack_id}`, () => ({
    ChassisType: "Rack",
    Manufacturer: "Skadi simulator",
    Model: "Hybrid-cooled rack, 12 kW",
    SerialNumber: `SIM${device.rack_id}`,
    PowerState: "On",
    Status: OK,
    ...links(CHASSIS, ["Thermal", "ThermalSubsystem", "Power", "PowerSubsystem", "EnvironmentMetrics"]),
    ...links(CHASSIS, ["Sensors", "Controls"]),
    Links: { ManagedBy: [link(`${ROOT}/Managers/1`)] },
  }));
  collect(`${ROOT}/Managers`, "Manager", ["1"]);
  add(`${ROOT}/Managers/1`, "#Manager.v1_19_0.Manager", "Rack Manager", () => ({
    ManagerType: "BMC",
    FirmwareVersion: "1.4.0",
    DateTime: isoTime(device.now_ms),
    Status: OK,
    Links: { ManagerForChassis: [link(CHASSIS)] },
  }));

  collect(
    `${CHASSIS}/Sensors`,
    "Sensor",
    sensors.map(({ id }) => id),
  );
  for (const { id, name, type, units, max, read } of sensors) {
    add(`${CHASSIS}/Sensors/${id}`, "#Sensor.v1_10_0.Sensor", name, () => {
      const value = read();
      return {
        ReadingType: type,
        Reading: rounded(value, 2),
        ReadingUnits: units,
        ReadingRangeMin: 0,
        ReadingRangeMax: max,
        Status: statusOfValue(value),
      };
    });
  }
  addThermal(add, collect, device);
  addPower(add, device, settings);
  addControls(add, collect, settings);
  addCoolingUnit(add, collect, device, settings);
  return resources;
}

type Add = (path: string, type: string, name: string, read: () => Json, patch?: Resource["patch"]) => void;
type Collect = (path: string, type: string, members: readonly string[]) => void;

function sensorDefinitions(device: Instruments): SensorDefinition[] {
  const celsius = (id: string, name: string, read: () => number | null): SensorDefinition => ({
    id,
    name,
    type: "Temperature",
    units: "Cel",
    max: 100,
    read,
  });
  const percent = (id: string, name: string, read: () => number | null): SensorDefinition => ({
    id,
    name,
    type: "Percent",
    units: "%",
    max: 100,
    read,
  });
  return [
    celsius("InletTemp", "Rack Inlet Temperature", () => device.read().inlet_c),
    celsius("ExhaustTemp", "Rack Exhaust Temperature", () => device.read().outlet_c),
    ...PROBES.map(({ name }, i) =>
      celsius(`Probe${i + 1}`, `${name} Temperature`, () => device.probes_c()[i]!),
    ),
    celsius("CoolantSupplyTemp", "Coolant Supply Temperature", () => device.loop().supply_c),
    celsius("CoolantReturnTemp", "Coolant Return Temperature", () => device.loop().return_c),
    percent("FanSpeed", "Fan Speed", () => device.read().fan_rpm_pct),
    percent("PumpSpeed", "Pump Speed", () => device.read().pump_rpm_pct),
    {
      id: "CoolantFlow",
      name: "Coolant Flow",
      type: "LiquidFlowLPM",
      units: "L/min",
      max: 20,
      read: () => device.loop().flow_lpm,
    },
    {
      id: "PowerConsumed",
      name: "Rack Power",
      type: "Power",
      units: "W",
      max: 15_000,
      read: () => watts(device),
    },
    {
      id: "EnergyConsumed",
      name: "Rack Energy",
      type: "EnergykWh",
      units: "kW.h",
      max: 1_000_000,
      read: () => device.energy_wh() / 1000,
    },
  ];
}

function watts(device: Instruments): number | null {
  const { pdu_kw } = device.read();
  return pdu_kw === null ? null : Math.round(pdu_kw * 1000);
}

/** The older Thermal resource, and the ThermalSubsystem that replaced it; services in the field have either or both. */
function addThermal(add: Add, collect: Collect, device: Instruments): void {
  const temperature = (
    index: number,
    name: string,
    context: string,
    value: number | null,
    critical: number,
  ) => ({
    "@odata.id": `${CHASSIS}/Thermal#/Temperatures/${index}`,
    MemberId: String(index),
    Name: name,
    PhysicalContext: context,
    ReadingCelsius: rounded(value),
    UpperThresholdCritical: critical,
    Status: statusOfValue(value),
  });
  add(`${CHASSIS}/Thermal`, "#Thermal.v1_7_1.Thermal", "Thermal", () => {
    const { inlet_c, outlet_c, fan_rpm_pct } = device.read();
    return {
      Temperatures: [
        temperature(0, "Inlet Temp", "Intake", inlet_c, 32),
        temperature(1, "Exhaust Temp", "Exhaust", outlet_c, 60),
      ],
      Fans: FANS.map((name, i) => ({
        "@odata.id": `${CHASSIS}/Thermal#/Fans/${i}`,
        MemberId: String(i),
        Name: name,
        Reading: rounded(fan_rpm_pct),
        ReadingUnits: "Percent",
        MinReadingRange: 0,
        MaxReadingRange: 100,
        Status: statusOfValue(fan_rpm_pct),
      })),
    };
  });
  const subsystem = `${CHASSIS}/ThermalSubsystem`;
  add(subsystem, "#ThermalSubsystem.v1_3_0.ThermalSubsystem", "Thermal Subsystem", () => ({
    ...links(subsystem, ["Fans", "ThermalMetrics"]),
    Status: OK,
  }));
  const metrics = `${subsystem}/ThermalMetrics`;
  add(metrics, "#ThermalMetrics.v1_3_0.ThermalMetrics", "Thermal Metrics", () => {
    const { inlet_c, outlet_c } = device.read();
    return {
      TemperatureSummaryCelsius: {
        Intake: excerpt(inlet_c, "InletTemp"),
        Exhaust: excerpt(outlet_c, "ExhaustTemp"),
      },
      TemperatureReadingsCelsius: PROBES.map(({ name }, i) => ({
        DeviceName: name,
        ...excerpt(device.probes_c()[i]!, `Probe${i + 1}`),
      })),
    };
  });
  collect(
    `${subsystem}/Fans`,
    "Fan",
    FANS.map((_, i) => String(i + 1)),
  );
  FANS.forEach((name, i) => {
    add(`${subsystem}/Fans/${i + 1}`, "#Fan.v1_5_0.Fan", name, () => {
      const { fan_rpm_pct } = device.read();
      return {
        PhysicalContext: "Exhaust",
        SpeedPercent: { ...excerpt(fan_rpm_pct, "FanSpeed"), SpeedRPM: rpm(fan_rpm_pct, FAN_FULL_RPM) },
        Status: statusOfValue(fan_rpm_pct),
      };
    });
  });
}

function addPower(add: Add, device: Instruments, settings: RedfishSettings): void {
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
          PowerConsumedWatts: watts(device),
          PowerCapacityWatts: max_w,
          PowerLimit: { LimitInWatts: settings.power_limit_w, LimitException: "NoAction" },
          Status: statusOfValue(watts(device)),
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
          ...excerpt(watts(device), "PowerConsumed", 0),
          ApparentVA: rounded(scaled(watts(device), 1 / POWER_FACTOR), 0),
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

/** Descends into the one property that may be changed. */
function nested(body: unknown, name: string, apply: (value: unknown) => Problem[]): Problem[] {
  if (typeof body !== "object" || body === null) return [{ id: "PropertyValueTypeError", property: name }];
  const strangers = Object.keys(body).filter((key) => key !== name);
  if (strangers.length > 0) return strangers.map((property) => ({ id: "PropertyUnknown", property }));
  if (!(name in body)) return [{ id: "PropertyMissing", property: name }];
  return apply((body as Json)[name]);
}

/** DMTF's Control schema: what an agent drives. */
function addControls(add: Add, collect: Collect, settings: RedfishSettings): void {
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

function controlExcerpt({ speed, mode }: ControlSetting): Json {
  const [AllowableMin, AllowableMax] = speed.range_pct;
  return { SetPoint: speed.setpoint_pct, ControlMode: mode, AllowableMin, AllowableMax };
}

function addCoolingUnit(add: Add, collect: Collect, device: Instruments, settings: RedfishSettings): void {
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
      DeltaTemperatureCelsius: { Reading: round(return_c - supply_c) },
      FlowLitersPerMinute: excerpt(flow_lpm, "CoolantFlow", 2),
      SupplyPressurekPa: { Reading: round(pressure_kpa, 0) },
      HeatRemovedkW: { Reading: round(heat_kw, 2) },
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

function link(path: string) {
  return { "@odata.id": path };
}

function links(path: string, names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, link(`${path}/${name}`)]));
}

/** A sensor's excerpt, as resources embed it. */
function excerpt(value: number | null, sensor: string, decimals = 1): Json {
  return { Reading: rounded(value, decimals), DataSourceUri: `${CHASSIS}/Sensors/${sensor}` };
}

function rpm(speed_pct: number | null, full_rpm: number): number | null {
  return rounded(scaled(speed_pct, full_rpm / 100), 0);
}

function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
