import snmp from "net-snmp";
import type { Instruments } from "../instruments.ts";

const { ObjectType } = snmp;
export const TYPES = {
  integer: ObjectType.Integer,
  gauge: ObjectType.Gauge,
  text: ObjectType.OctetString,
  oid: ObjectType.OID,
  ticks: ObjectType.TimeTicks,
} as const;
type SnmpType = keyof typeof TYPES;

/** null: the instance does not exist at this moment. */
export type SnmpValue = number | string | null;

/** One column of a table, or a scalar: the object's OID and, per instance below it, how to read the value. */
export interface SnmpObject {
  name: string;
  oid: string;
  type: SnmpType;
  instances: readonly SnmpInstance[];
}

export interface SnmpInstance {
  /** The index as it appears in the OID: "0" of a scalar, "1.1.5" of a table with three index columns. */
  index: string;
  read(): SnmpValue;
  /** Only where the object can be set; `accepts` has been asked before. */
  write?: { accepts(value: number): boolean; apply(value: number): void };
}

/** A make of rack PDU: which objects its agent serves. */
export interface SnmpProfile {
  /** sysDescr and sysObjectID, by which drivers recognise the make. */
  description: string;
  object_id: string;
  objects(device: Instruments): SnmpObject[];
}

export function scalar(name: string, oid: string, type: SnmpType, read: () => SnmpValue): SnmpObject {
  return { name, oid, type, instances: [{ index: "0", read }] };
}

/** A column whose cells are read from rows. */
export function column<Row>(
  name: string,
  oid: string,
  type: SnmpType,
  rows: readonly { index: string; row: Row }[],
  cell: (row: Row) => SnmpValue,
): SnmpObject {
  return {
    name,
    oid,
    type,
    instances: rows.map(({ index, row }) => ({ index, read: () => cell(row) })),
  };
}

/** Rows numbered from 1. */
export function numbered<Row>(rows: readonly Row[]): { index: string; row: Row & { number: number } }[] {
  return rows.map((row, i) => ({ index: String(i + 1), row: { ...row, number: i + 1 } }));
}
