import type { SnmpSensor } from "../../shared/contracts/devices/snmp.ts";
import { type SnmpAnswer, type SnmpClient, snmpClient } from "../devices/snmp.ts";
import { type SnmpSource, snmpSources } from "../devices/snmp-sources.ts";
import { numberOf } from "../devices/snmp-values.ts";
import type { PointReading, SensorDevice } from "./device.ts";

/** One value with what is known of it from its table. */
interface Cell {
  oid: string;
  /** What the device's number is multiplied by. */
  factor: number;
  /** It is in °F while this holds. */
  fahrenheit?: { oid: string; equals: number };
  /** It counts only while this holds. */
  present?: { oid: string; equals: number };
  /** Why this one cannot be used at all. */
  unusable?: string;
}

/** Rows are looked for again after this many reads: a device that has just started does not tell all of them yet. */
const READS_PER_SURVEY = 60;
/** Of a table with many silent rows so many are explained. */
const REASONS_MAX = 3;
/** entPhySensorScale (RFC 3433) counts powers of 1000; 9 is units. */
const ENTITY_UNITS = 9;

/** Reads what an SNMP agent tells. */
export function snmpSensor(config: SnmpSensor): SensorDevice {
  const client = snmpClient(config);
  const sources = snmpSources(config);
  const rows = sources.map(() => new Set<string>());
  let cells: Cell[][] | null = null;
  let reads = 0;

  return {
    name: config.name,
    async open() {
      cells = null;
    },
    async read(signal) {
      if (!cells || !complete(cells) || reads % READS_PER_SURVEY === 0) {
        const surveyed: Cell[][] = [];
        for (const [i, source] of sources.entries())
          surveyed.push(await survey(client, source, rows[i]!, signal));
        cells = surveyed;
      }
      reads++;
      return readCells(client, sources, cells, signal);
    },
    async close() {
      client.close();
    },
  };
}

const complete = (cells: readonly (readonly Cell[])[]) =>
  cells.every((row) => row.length > 0 && row.every(({ unusable }) => unusable === undefined));

/**
 * What does not change from read to read: which rows there are, and how each is scaled.
 *
 * @param rows found so far; a row that has vanished stays, so that a sum without it is not taken for the whole
 */
async function survey(
  client: SnmpClient,
  source: SnmpSource,
  rows: Set<string>,
  signal: AbortSignal,
): Promise<Cell[]> {
  const table = source.objects;
  if (!("column" in table)) return table.map((oid) => ({ oid, factor: 1 }));
  const { column, kind, digits, magnitude, present, fahrenheit, instances } = table;
  const found = instances ?? [...(await client.column(column, signal)).keys()];
  for (const row of found) rows.add(row);
  const about = (row: string) => [
    ...(digits ? [`${digits}.${row}`] : []),
    ...(magnitude ? [`${magnitude}.${row}`] : []),
    ...(kind ? [`${kind.column}.${row}`] : []),
  ];
  const asked = [...rows].flatMap(about);
  const answers = new Map<string, SnmpAnswer>();
  for (const [i, answer] of (await client.get(asked, signal)).entries()) answers.set(asked[i]!, answer);

  return [...rows].map((row) => {
    const unknown = about(row).flatMap((oid) => toldBy(answers.get(oid)).reason ?? []);
    const told = (oid: string) => toldBy(answers.get(oid)).value ?? Number.NaN;
    const cell: Cell = { oid: `${column}.${row}`, factor: 1 };
    if (fahrenheit) {
      const { column: unit, scalar, equals } = fahrenheit;
      cell.fahrenheit = { oid: scalar ? unit : `${unit}.${row}`, equals };
    }
    if (present) cell.present = { oid: `${present.column}.${row}`, equals: present.equals };
    if (unknown.length > 0) return { ...cell, unusable: unknown.join(", ") };
    if (kind && told(`${kind.column}.${row}`) !== kind.equals) {
      const is = told(`${kind.column}.${row}`);
      return { ...cell, unusable: `${kind.column}.${row} is ${is}, expected ${kind.equals}` };
    }
    if (magnitude) cell.factor *= 1000 ** (told(`${magnitude}.${row}`) - ENTITY_UNITS);
    if (digits) cell.factor /= 10 ** told(`${digits}.${row}`);
    return cell;
  });
}

async function readCells(
  client: SnmpClient,
  sources: readonly SnmpSource[],
  cells: readonly (readonly Cell[])[],
  signal: AbortSignal,
): Promise<PointReading[]> {
  const usable = cells.flat().filter((cell) => cell.unusable === undefined);
  const asked = usable.flatMap(({ oid, present, fahrenheit }) => [
    oid,
    ...(present ? [present.oid] : []),
    ...(fahrenheit ? [fahrenheit.oid] : []),
  ]);
  const answers = new Map<string, SnmpAnswer>();
  for (const [i, answer] of (await client.get(asked, signal)).entries()) answers.set(asked[i]!, answer);

  return cells.map((of_point, i) => {
    const { no_value, scale } = sources[i]!;
    const read = of_point.map((cell) => readCell(cell, no_value, scale, answers));
    const reasons = read.flatMap(({ reason }) => reason ?? []);
    if (of_point.length === 0) reasons.push("its column has no rows");
    const values = read.map(({ value }) => value);
    return reasons.length > 0 ? { values, reason: reasons.slice(0, REASONS_MAX).join("; ") } : { values };
  });
}

type Value = { value: number; reason?: undefined } | { value: null; reason: string };

function readCell(
  { oid, factor, fahrenheit, present, unusable }: Cell,
  no_value: readonly number[],
  scale: number,
  answers: ReadonlyMap<string, SnmpAnswer>,
): Value {
  if (unusable !== undefined) return { value: null, reason: unusable };
  if (present) {
    const { value } = toldBy(answers.get(present.oid));
    if (value !== present.equals) {
      return { value: null, reason: `${present.oid} is ${value}, expected ${present.equals}` };
    }
  }
  const answer = toldBy(answers.get(oid));
  if (answer.value === null) return answer;
  if (no_value.includes(answer.value)) return { value: null, reason: `${oid} is ${answer.value}` };
  const value = answer.value * factor;
  if (!fahrenheit) return { value };
  const unit = toldBy(answers.get(fahrenheit.oid));
  if (unit.value === null) return unit;
  // The point's scale comes after this: °F become the tenths of °C, or whatever the scale expects.
  return { value: unit.value === fahrenheit.equals ? (value - 32 / scale) / 1.8 : value };
}

function toldBy(answer: SnmpAnswer | undefined): Value {
  if (!answer?.object) return { value: null, reason: answer?.reason ?? "not asked" };
  const value = numberOf(answer.object);
  return value === null ? { value, reason: `no number at ${answer.object.oid}` } : { value };
}
