import { type Instruments, PROBES } from "../instruments.ts";
import { CHASSIS, type ResourceTree, rounded, statusOfValue } from "./tree.ts";

interface SensorDefinition {
  id: string;
  name: string;
  type: string;
  units: string;
  max: number;
  read(): number | null;
}

export function addSensors({ add, collect }: ResourceTree, device: Instruments): void {
  const sensors = sensorDefinitions(device);
  const path = `${CHASSIS}/Sensors`;
  collect(
    path,
    "Sensor",
    sensors.map(({ id }) => id),
  );
  for (const { id, name, type, units, max, read } of sensors) {
    add(`${path}/${id}`, "#Sensor.v1_10_0.Sensor", name, () => {
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
}

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
      read: device.watts,
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
