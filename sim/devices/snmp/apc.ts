import { currentA, LINE_VOLTAGE_V, OUTLETS, PHASES, POWER_FACTOR, splitWhole } from "../circuits.ts";
import { type Instruments, PROBE_HUMIDITY_PCT, PROBES } from "../instruments.ts";
import { column, numbered, type SnmpObject, type SnmpProfile, type SnmpValue } from "./objects.ts";

const RPDU2 = "1.3.6.1.4.1.318.1.1.26";
const IDENT = `${RPDU2}.2.1.1`;
const DEVICE = `${RPDU2}.4.3.1`;
const PHASE = `${RPDU2}.6.3.1`;
const OUTLET = `${RPDU2}.9.4.3.1`;
const PROBE = `${RPDU2}.10.2.2.1`;

const OVERLOAD_KW = 12;
const LOAD_NORMAL = 2;
const LOAD_NEAR_OVERLOAD = 3;
const LOAD_OVERLOAD = 4;
const COMMS_OK = 2;
const COMMS_LOST = 3;
/** PowerNet-MIB: −1 where a value is not supported or not known. */
const UNKNOWN = -1;

/** APC by Schneider Electric, second generation rack PDU (AP8xxx), PowerNet-MIB rPDU2. */
export const APC: SnmpProfile = {
  description: "APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.5.6 AN1:rpdu2g) AP8853 (simulated)",
  object_id: "1.3.6.1.4.1.318.1.3.4.5",
  objects: (device) => [...identity(device), ...deviceStatus(device), ...circuits(device), ...probes(device)],
};

function identity(device: Instruments): SnmpObject[] {
  const rows = numbered([{ name: device.rack_id }]);
  const text = (name: string, number: number, value: string) =>
    column(`rPDU2Ident${name}`, `${IDENT}.${number}`, "text", rows, () => value);
  return [
    column("rPDU2IdentIndex", `${IDENT}.1`, "integer", rows, (row) => row.number),
    column("rPDU2IdentModule", `${IDENT}.2`, "integer", rows, () => 1),
    column("rPDU2IdentName", `${IDENT}.3`, "text", rows, (row) => row.name),
    text("HardwareRev", 6, "02"),
    text("FirmwareRev", 7, "v6.5.6"),
    text("DateOfManufacture", 8, "01/15/2024"),
    text("ModelNumber", 9, "AP8853"),
    text("SerialNumber", 10, `SIM${device.rack_id}`),
  ];
}

function deviceStatus(device: Instruments): SnmpObject[] {
  const rows = numbered([{ name: device.rack_id }]);
  const kw = () => device.read().pdu_kw;
  const status = (name: string, number: number, cell: () => SnmpValue) =>
    column(`rPDU2DeviceStatus${name}`, `${DEVICE}.${number}`, "integer", rows, cell);
  return [
    status("Index", 1, () => 1),
    status("Module", 2, () => 1),
    column("rPDU2DeviceStatusName", `${DEVICE}.3`, "text", rows, (row) => row.name),
    status("LoadState", 4, () => loadState(kw())),
    // Hundredths of kW; energy in tenths of kWh.
    status("Power", 5, () => known(kw(), (value) => value * 100)),
    status("Energy", 9, () => Math.floor(device.energy_wh() / 100)),
    status("ApparentPower", 16, () => known(kw(), (value) => (value * 100) / POWER_FACTOR)),
    status("PowerFactor", 17, () => Math.round(POWER_FACTOR * 100)),
  ];
}

function loadState(pdu_kw: number | null): number {
  if (pdu_kw === null || pdu_kw < 0.9 * OVERLOAD_KW) return LOAD_NORMAL;
  return pdu_kw < OVERLOAD_KW ? LOAD_NEAR_OVERLOAD : LOAD_OVERLOAD;
}

function circuits(device: Instruments): SnmpObject[] {
  const phases = numbered(PHASES);
  const outlets = numbered(OUTLETS);
  const hundredths_kw = (number: number) =>
    known(device.read().pdu_kw, (kw) => splitWhole(Math.round(kw * 100), PHASES)[number - 1]!);
  const watts = (number: number) =>
    known(device.read().pdu_kw, (kw) => splitWhole(Math.round(kw * 1000), OUTLETS)[number - 1]!);
  const tenths_a = (power: number, watts_per_unit: number) =>
    power === UNKNOWN ? UNKNOWN : Math.round(currentA(power * watts_per_unit) * 10);
  const phase = (name: string, number: number, cell: (row: { number: number }) => SnmpValue) =>
    column(`rPDU2PhaseStatus${name}`, `${PHASE}.${number}`, "integer", phases, cell);
  const outlet = (name: string, number: number, cell: (row: { number: number }) => SnmpValue) =>
    column(`rPDU2OutletMeteredStatus${name}`, `${OUTLET}.${number}`, "integer", outlets, cell);
  return [
    phase("Index", 1, (row) => row.number),
    phase("Module", 2, () => 1),
    phase("Number", 3, (row) => row.number),
    phase("LoadState", 4, () => LOAD_NORMAL),
    phase("Current", 5, (row) => tenths_a(hundredths_kw(row.number), 10)),
    phase("Voltage", 6, () => LINE_VOLTAGE_V),
    phase("Power", 7, (row) => hundredths_kw(row.number)),
    outlet("Index", 1, (row) => row.number),
    outlet("Module", 2, () => 1),
    column("rPDU2OutletMeteredStatusName", `${OUTLET}.3`, "text", outlets, (row) => row.name),
    outlet("Number", 4, (row) => row.number),
    outlet("State", 5, () => 2),
    outlet("Current", 6, (row) => tenths_a(watts(row.number), 1)),
    outlet("Power", 7, (row) => watts(row.number)),
    outlet("Energy", 11, (row) => Math.floor((device.energy_wh() * OUTLETS[row.number - 1]!.share) / 100)),
  ];
}

function probes(device: Instruments): SnmpObject[] {
  const rows = numbered(PROBES);
  const value_c = (number: number) => device.probes_c()[number - 1]!;
  const status = (name: string, number: number, cell: (row: { number: number }) => SnmpValue) =>
    column(`rPDU2SensorTempHumidityStatus${name}`, `${PROBE}.${number}`, "integer", rows, cell);
  const lost = (row: { number: number }) => value_c(row.number) === null;
  return [
    status("Index", 1, (row) => row.number),
    status("Module", 2, () => 1),
    column("rPDU2SensorTempHumidityStatusName", `${PROBE}.3`, "text", rows, (row) => row.name),
    status("Number", 4, (row) => row.number),
    // temperatureHumidity(2), commsLost(3)
    status("Type", 5, (row) => (lost(row) ? 3 : 2)),
    status("CommStatus", 6, (row) => (lost(row) ? COMMS_LOST : COMMS_OK)),
    status("TempF", 7, (row) => known(value_c(row.number), (c) => (c * 1.8 + 32) * 10)),
    status("TempC", 8, (row) => known(value_c(row.number), (c) => c * 10)),
    // notPresent(1), normal(4)
    status("TempStatus", 9, (row) => (lost(row) ? 1 : 4)),
    status("RelativeHumidity", 10, (row) => (lost(row) ? UNKNOWN : PROBE_HUMIDITY_PCT)),
    status("HumidityStatus", 11, (row) => (lost(row) ? 1 : 4)),
  ];
}

function known(value: number | null, convert: (value: number) => number): number {
  return value === null ? UNKNOWN : Math.round(convert(value));
}
