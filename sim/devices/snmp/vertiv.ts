import { currentA, LINE_VOLTAGE_V, OUTLETS, PHASES, POWER_FACTOR, splitWhole } from "../circuits.ts";
import { type Instruments, PROBE_HUMIDITY_PCT, PROBES } from "../instruments.ts";
import { column, numbered, type SnmpObject, type SnmpProfile, type SnmpValue, scalar } from "./objects.ts";

const IMD = "1.3.6.1.4.1.21239.5.2";
const INFO = `${IMD}.1`;
const MAIN = `${IMD}.3.1.1`;
const PHASE = `${IMD}.3.2.1`;
const OUTLET = `${IMD}.3.6.1`;
const TEMPERATURE = `${IMD}.4.1`;
const HUMIDITY = `${IMD}.9.1`;

const UNAVAILABLE = 0;
const AVAILABLE = 1;
const CELSIUS = 1;

/** Vertiv Geist upgradeable PDU (IMD-3), VERTIV-V5-MIB; a value that cannot be read has no instance. */
export const VERTIV_GEIST: SnmpProfile = {
  description: "Geist Upgradeable PDU, IMD-3E 5.9.0 (simulated)",
  object_id: IMD,
  objects: (device) => [
    scalar("productTitle", `${INFO}.1`, "text", () => "Geist Upgradeable PDU"),
    scalar("productVersion", `${INFO}.2`, "text", () => "5.9.0"),
    scalar("productFriendlyName", `${INFO}.3`, "text", () => device.rack_id),
    scalar("deviceCount", `${INFO}.6`, "integer", () => 1 + PROBES.length),
    scalar("temperatureUnits", `${INFO}.7`, "integer", () => CELSIUS),
    scalar("productModelNumber", `${INFO}.8`, "text", () => "VP7G30"),
    scalar("productSerialNumber", `${INFO}.10`, "text", () => `SIM${device.rack_id}`),
    ...mainTable(device),
    ...circuitTable("pduPhase", PHASE, PHASES, device),
    ...circuitTable("pduOutletMeter", OUTLET, OUTLETS, device),
    ...probeTables(device),
  ],
};

function mainTable(device: Instruments): SnmpObject[] {
  const rows = numbered([{}]);
  const total = device.watts;
  return [
    column("pduMainSerial", `${MAIN}.2`, "text", rows, () => `SIM${device.rack_id}`),
    column("pduMainName", `${MAIN}.3`, "text", rows, () => "PDU"),
    column("pduMainLabel", `${MAIN}.4`, "text", rows, () => device.rack_id),
    column("pduMainAvail", `${MAIN}.5`, "gauge", rows, () => (total() === null ? UNAVAILABLE : AVAILABLE)),
    column("pduTotalRealPower", `${MAIN}.9`, "gauge", rows, total),
    column("pduTotalApparentPower", `${MAIN}.10`, "gauge", rows, () =>
      known(total(), (w) => w / POWER_FACTOR),
    ),
    column("pduTotalPowerFactor", `${MAIN}.11`, "gauge", rows, () => Math.round(POWER_FACTOR * 100)),
    column("pduTotalEnergy", `${MAIN}.12`, "gauge", rows, () => Math.floor(device.energy_wh())),
  ];
}

function circuitTable(
  kind: string,
  entry: string,
  circuits: readonly { name: string; share: number }[],
  device: Instruments,
): SnmpObject[] {
  const rows = numbered(circuits);
  const part = (number: number) => known(device.watts(), (w) => splitWhole(w, circuits)[number - 1]!);
  return [
    column(`${kind}Name`, `${entry}.2`, "text", rows, (row) => row.name),
    column(`${kind}Label`, `${entry}.3`, "text", rows, (row) => row.name),
    // Tenths of V, hundredths of A.
    column(`${kind}Voltage`, `${entry}.4`, "gauge", rows, () => LINE_VOLTAGE_V * 10),
    column(`${kind}Current`, `${entry}.8`, "gauge", rows, (row) =>
      known(part(row.number), (w) => currentA(w) * 100),
    ),
    column(`${kind}RealPower`, `${entry}.12`, "gauge", rows, (row) => part(row.number)),
    column(`${kind}Energy`, `${entry}.15`, "gauge", rows, (row) =>
      Math.floor(device.energy_wh() * row.share),
    ),
  ];
}

function probeTables(device: Instruments): SnmpObject[] {
  const rows = numbered(PROBES);
  const value_c = (number: number) => device.probes_c()[number - 1]!;
  const available = (number: number) => (value_c(number) === null ? UNAVAILABLE : AVAILABLE);
  const tenths_c = (number: number) => known(value_c(number), (c) => c * 10);
  /** One combined sensor in the middle of the front door, beside the probes. */
  const middle = PROBES.findIndex(({ name }) => name === "Inlet Middle") + 1;
  const one = numbered([{ name: "Front door" }]);
  return [
    column("tempSensorSerial", `${TEMPERATURE}.2`, "text", rows, (row) => `SIMT${row.number}`),
    column("tempSensorLabel", `${TEMPERATURE}.3`, "text", rows, (row) => row.name),
    column("tempSensorAvail", `${TEMPERATURE}.4`, "gauge", rows, (row) => available(row.number)),
    column("tempSensorTemp", `${TEMPERATURE}.5`, "integer", rows, (row) => tenths_c(row.number)),
    column("thdSensorLabel", `${HUMIDITY}.3`, "text", one, (row) => row.name),
    column("thdSensorAvail", `${HUMIDITY}.4`, "gauge", one, () => available(middle)),
    column("thdSensorTemp", `${HUMIDITY}.5`, "integer", one, () => tenths_c(middle)),
    column("thdSensorHumidity", `${HUMIDITY}.6`, "integer", one, () =>
      value_c(middle) === null ? null : PROBE_HUMIDITY_PCT,
    ),
  ];
}

function known(value: number | null, convert: (value: number) => number): SnmpValue & (number | null) {
  return value === null ? null : Math.round(convert(value));
}
