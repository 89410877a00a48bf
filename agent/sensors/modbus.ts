import type { ModbusPoint, ModbusSensor } from "../../shared/contracts/devices/modbus.ts";
import { MODBUS_WORDS } from "../../shared/contracts/devices/modbus.ts";
import { type ModbusClient, ModbusException, modbusClient } from "../devices/modbus.ts";
import { blocksOf, type ModbusBlock, type ModbusRange } from "../devices/modbus-blocks.ts";
import { decodeRegisters, registerBits } from "../devices/modbus-values.ts";
import type { PointReading, SensorDevice } from "./device.ts";

type Answer = { bytes: Buffer; refusal?: undefined } | { bytes: null; refusal: ModbusException };

/** What a device says to a request that covers an address it does not have: illegal address, illegal value. */
const GAP_CODES = [2, 3];
/** Of a point with many silent addresses so many are explained. */
const REASONS_MAX = 3;

/** Reads registers, coils and inputs over Modbus TCP. */
export function modbusSensor(config: ModbusSensor): SensorDevice {
  const client = modbusClient(config);
  const ranges = config.points.map((point) => rangesOf(point, config.unit_id));
  const blocks = blocksOf(ranges.flat(), config);
  /** Blocks that the device refuses as a whole: it has gaps that must not be read. */
  const refused = new Set<ModbusBlock>();

  return {
    name: config.name,
    open: async () => {},
    async read(signal) {
      const answers = new Map<ModbusRange, Answer>();
      for (const block of blocks) await readBlock(client, block, refused, answers, signal);
      const all = [...answers.values()];
      const [first] = all;
      if (first?.bytes === null && all.every(({ bytes }) => bytes === null)) throw first.refusal;
      return config.points.map((point, i) => reading(point, ranges[i]!, answers));
    },
    close: client.close,
  };
}

function rangesOf(point: ModbusPoint, unit_id: number): ModbusRange[] {
  const { table, type } = point;
  const count = MODBUS_WORDS[type];
  return [point.address]
    .flat()
    .map((address) => ({ unit_id: point.unit_id ?? unit_id, table, address, count }));
}

async function readBlock(
  client: ModbusClient,
  block: ModbusBlock,
  refused: Set<ModbusBlock>,
  answers: Map<ModbusRange, Answer>,
  signal: AbortSignal,
): Promise<void> {
  if (!refused.has(block)) {
    const answer = await answerOf(client, block, signal);
    for (const range of block.ranges) answers.set(range, partOf(answer, block, range));
    if (!answer.refusal || block.ranges.length === 1 || !GAP_CODES.includes(answer.refusal.exception_code))
      return;
  }
  for (const range of block.ranges) answers.set(range, await answerOf(client, range, signal));
  // Only where single ranges do answer was it the block that the device did not like.
  if (block.ranges.some((range) => answers.get(range)?.bytes)) refused.add(block);
  else refused.delete(block);
}

function partOf(answer: Answer, block: ModbusBlock, range: ModbusRange): Answer {
  if (answer.bytes === null) return answer;
  const bytes_each = block.table === "coil" || block.table === "discrete" ? 1 : 2;
  const start = (range.address - block.address) * bytes_each;
  return { bytes: answer.bytes.subarray(start, start + range.count * bytes_each) };
}

async function answerOf(client: ModbusClient, range: ModbusRange, signal: AbortSignal): Promise<Answer> {
  try {
    return { bytes: await client.read(range, signal) };
  } catch (error) {
    if (error instanceof ModbusException) return { bytes: null, refusal: error };
    throw error;
  }
}

function reading(
  point: ModbusPoint,
  ranges: readonly ModbusRange[],
  answers: ReadonlyMap<ModbusRange, Answer>,
): PointReading {
  const reasons: string[] = [];
  const values = ranges.map((range) => {
    const { bytes, refusal } = answers.get(range)!;
    if (bytes === null) {
      reasons.push(refusal.message);
      return null;
    }
    if (range.table === "coil" || range.table === "discrete") return bytes[0]!;
    const value = decodeRegisters(bytes, point);
    const none = point.no_value.includes(value) || point.no_value.includes(registerBits(bytes, point));
    if (Number.isFinite(value) && !none) return value;
    reasons.push(`${range.table} ${range.address} is ${value}`);
    return null;
  });
  return reasons.length > 0 ? { values, reason: reasons.slice(0, REASONS_MAX).join("; ") } : { values };
}
