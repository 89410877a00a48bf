import type { SnmpProfile } from "../../../shared/contracts/devices/snmp.ts";

/** A column of a table and what it must say. */
interface SnmpCondition {
  column: string;
  equals: number;
}

/** How the values of a table's column are told. */
export interface SnmpTable {
  column: string;
  scale?: number;
  /** The column with the number of decimal digits. */
  digits?: string;
  /** The column with the power of ten as ENTITY-SENSOR-MIB counts them. */
  magnitude?: string;
  /** Only rows of this kind are meant. */
  kind?: SnmpCondition;
  /** A row counts only while this holds. */
  present?: SnmpCondition;
  /** Where this holds, the value is in °F; `scalar`: one object for the whole device. */
  fahrenheit?: SnmpCondition & { scalar?: boolean };
  no_value?: readonly number[];
}

interface Profile {
  power: SnmpTable & { unit: "watt" | "kilowatt" };
  /** The rows that are the whole PDU. */
  total: readonly string[];
  temperature: SnmpTable;
  /** Before the number of a probe, where a row's index has more parts. */
  probe_prefix: string;
}

const APC = "1.3.6.1.4.1.318.1.1.26";
const RARITAN = "1.3.6.1.4.1.13742.6";
const VERTIV = "1.3.6.1.4.1.21239.5.2";
const ENTITY_SENSOR = "1.3.6.1.2.1.99.1.1.1";

/** Decidegrees in the unit the PDU is set to: temperatureUnits, fahrenheit(0) or celsius(1). */
const vertiv = (entry: string): Profile => ({
  power: { unit: "watt", column: `${VERTIV}.3.1.1.9` },
  total: ["1"],
  temperature: {
    column: `${entry}.5`,
    scale: 0.1,
    present: { column: `${entry}.4`, equals: 1 },
    fahrenheit: { column: `${VERTIV}.1.7.0`, equals: 0, scalar: true },
  },
  probe_prefix: "",
});

/** entPhySensorType, Scale, Precision, Value and OperStatus of RFC 3433. */
const entitySensor = (type: number): SnmpTable => ({
  column: `${ENTITY_SENSOR}.4`,
  magnitude: `${ENTITY_SENSOR}.2`,
  digits: `${ENTITY_SENSOR}.3`,
  kind: { column: `${ENTITY_SENSOR}.1`, equals: type },
  present: { column: `${ENTITY_SENSOR}.5`, equals: 1 },
  // Underflow and overflow.
  no_value: [-1_000_000_000, 1_000_000_000],
});

export const SNMP_PROFILES: Record<SnmpProfile, Profile> = {
  /** PowerNet-MIB: rPDU2DeviceStatusPower in 0.01 kW, rPDU2SensorTempHumidityStatusTempC in 0.1 °C, CommStatus 2 = OK. */
  apc_rpdu2: {
    power: { unit: "kilowatt", column: `${APC}.4.3.1.5`, scale: 0.01, no_value: [-1] },
    total: ["1"],
    temperature: {
      column: `${APC}.10.2.2.1.8`,
      scale: 0.1,
      present: { column: `${APC}.10.2.2.1.6`, equals: 2 },
      no_value: [-1],
    },
    probe_prefix: "",
  },
  /**
   * PDU2-MIB: measurementsInletSensorValue and measurementsExternalSensorValue with their DecimalDigits and
   * IsAvailable; an inlet's row is PDU, inlet, sensor type (5 = active power), a probe's is PDU, sensor; of
   * externalSensorUnits 14 is °F.
   */
  raritan_px: {
    power: {
      unit: "watt",
      column: `${RARITAN}.5.2.3.1.4`,
      digits: `${RARITAN}.3.3.4.1.7`,
      present: { column: `${RARITAN}.5.2.3.1.2`, equals: 1 },
    },
    total: ["1.1.5"],
    temperature: {
      column: `${RARITAN}.5.5.3.1.4`,
      digits: `${RARITAN}.3.6.3.1.17`,
      kind: { column: `${RARITAN}.3.6.3.1.2`, equals: 10 },
      present: { column: `${RARITAN}.5.5.3.1.2`, equals: 1 },
      fahrenheit: { column: `${RARITAN}.3.6.3.1.16`, equals: 14 },
    },
    probe_prefix: "1.",
  },
  /** VERTIV-V5-MIB and GEIST-IMD-MIB: pduTotalRealPower; tempSensorAvail and tempSensorTemp. */
  vertiv_geist: vertiv(`${VERTIV}.4.1`),
  /** The same with probes that tell humidity too: thdSensorAvail and thdSensorTemp. */
  vertiv_geist_thd: vertiv(`${VERTIV}.9.1`),
  /** ENTITY-SENSOR-MIB (RFC 3433): watts(6), celsius(8). */
  entity_sensor: {
    power: { unit: "watt", ...entitySensor(6) },
    total: [],
    temperature: entitySensor(8),
    probe_prefix: "",
  },
};
