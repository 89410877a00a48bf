import { currentA, LINE_VOLTAGE_V, OUTLETS, splitWhole } from "../circuits.ts";
import { type Instruments, PROBES } from "../instruments.ts";
import { column, numbered, type SnmpObject, type SnmpProfile } from "./objects.ts";

const RARITAN = "1.3.6.1.4.1.13742.6";
const NAMEPLATE = `${RARITAN}.3.2.1.1`;
const EXTERNAL_CONFIG = `${RARITAN}.3.6.3.1`;

const PDU_ID = 1;
/** SensorTypeEnumeration and SensorUnitsEnumeration of PDU2-MIB. */
const SENSOR_TYPE = { rms_current: 1, rms_voltage: 4, active_power: 5, active_energy: 8, temperature: 10 };
const UNITS = { volt: 1, amp: 2, watt: 3, watt_hour: 5, degree_c: 7 };
const TRUE = 1;
const FALSE = 2;
const STATE_NORMAL = 4;
const STATE_UNAVAILABLE = -1;

/** A sensor as PDU2-MIB has it: a whole number that the decimal digits scale. */
interface Sensor {
  type: number;
  units: number;
  decimal_digits: number;
  value(): number | null;
}

/** Raritan PX2/PX3, PDU2-MIB. */
export const RARITAN_PX: SnmpProfile = {
  description: "Raritan PX3-5665 - firmware 040000 (simulated)",
  object_id: RARITAN,
  objects: (device) => [
    ...nameplate(device),
    ...sensorTables(`${RARITAN}.3.3.4.1`, `${RARITAN}.5.2.3.1`, "Inlet", inletSensors(device)),
    ...sensorTables(`${RARITAN}.3.5.4.1`, `${RARITAN}.5.4.3.1`, "Outlet", outletSensors(device)),
    ...externalSensors(device),
  ],
};

function nameplate(device: Instruments): SnmpObject[] {
  const rows = numbered([{}]);
  return [
    column("pduManufacturer", `${NAMEPLATE}.2`, "text", rows, () => "Raritan"),
    column("pduModel", `${NAMEPLATE}.3`, "text", rows, () => "PX3-5665"),
    column("pduSerialNumber", `${NAMEPLATE}.4`, "text", rows, () => `SIM${device.rack_id}`),
  ];
}

function powerSensors(watts: () => number | null, energy_wh: () => number): Sensor[] {
  const amps = () => {
    const value = watts();
    return value === null ? null : currentA(value);
  };
  return [
    { type: SENSOR_TYPE.rms_current, units: UNITS.amp, decimal_digits: 3, value: amps },
    { type: SENSOR_TYPE.rms_voltage, units: UNITS.volt, decimal_digits: 0, value: () => LINE_VOLTAGE_V },
    { type: SENSOR_TYPE.active_power, units: UNITS.watt, decimal_digits: 0, value: watts },
    { type: SENSOR_TYPE.active_energy, units: UNITS.watt_hour, decimal_digits: 0, value: energy_wh },
  ];
}

function inletSensors(device: Instruments) {
  return powerSensors(device.watts, device.energy_wh).map((row) => ({
    index: `${PDU_ID}.1.${row.type}`,
    row,
  }));
}

function outletSensors(device: Instruments) {
  return OUTLETS.flatMap(({ share }, i) => {
    const part = () => {
      const total = device.watts();
      return total === null ? null : splitWhole(total, OUTLETS)[i]!;
    };
    return powerSensors(part, () => device.energy_wh() * share).map((row) => ({
      index: `${PDU_ID}.${i + 1}.${row.type}`,
      row,
    }));
  });
}

function sensorTables(
  config: string,
  measurements: string,
  kind: string,
  rows: { index: string; row: Sensor }[],
): SnmpObject[] {
  return [
    column(`${kind}SensorUnits`, `${config}.6`, "integer", rows, (row) => row.units),
    column(`${kind}SensorDecimalDigits`, `${config}.7`, "gauge", rows, (row) => row.decimal_digits),
    ...measurementColumns(measurements, kind, "gauge", rows),
  ];
}

function externalSensors(device: Instruments): SnmpObject[] {
  const rows = PROBES.map(({ name }, i) => ({
    index: `${PDU_ID}.${i + 1}`,
    row: {
      name,
      type: SENSOR_TYPE.temperature,
      units: UNITS.degree_c,
      decimal_digits: 1,
      value: () => device.probes_c()[i]!,
    },
  }));
  return [
    column("externalSensorType", `${EXTERNAL_CONFIG}.2`, "integer", rows, (row) => row.type),
    column("externalSensorName", `${EXTERNAL_CONFIG}.4`, "text", rows, (row) => row.name),
    column("externalSensorUnits", `${EXTERNAL_CONFIG}.16`, "integer", rows, (row) => row.units),
    column(
      "externalSensorDecimalDigits",
      `${EXTERNAL_CONFIG}.17`,
      "gauge",
      rows,
      (row) => row.decimal_digits,
    ),
    ...measurementColumns(`${RARITAN}.5.5.3.1`, "External", "integer", rows),
  ];
}

function measurementColumns(
  entry: string,
  kind: string,
  type: "gauge" | "integer",
  rows: { index: string; row: Sensor }[],
): SnmpObject[] {
  return [
    column(`measurements${kind}SensorIsAvailable`, `${entry}.2`, "integer", rows, (row) =>
      row.value() === null ? FALSE : TRUE,
    ),
    column(`measurements${kind}SensorState`, `${entry}.3`, "integer", rows, (row) =>
      row.value() === null ? STATE_UNAVAILABLE : STATE_NORMAL,
    ),
    column(`measurements${kind}SensorValue`, `${entry}.4`, type, rows, (row) =>
      Math.round((row.value() ?? 0) * 10 ** row.decimal_digits),
    ),
  ];
}
