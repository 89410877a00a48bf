import type { ModbusTable } from "../../shared/contracts/devices/modbus.ts";

/** Something to be read: registers, or bits where the table is one of bits. */
export interface ModbusRange {
  unit_id: number;
  table: ModbusTable;
  address: number;
  count: number;
}

/** One request, and which of the ranges it answers. */
export interface ModbusBlock extends ModbusRange {
  ranges: readonly ModbusRange[];
}

const BITS_PER_REGISTER = 16;

/**
 * As few requests as possible: ranges of one unit and table are read together where no more than `gap_max` registers
 * between them are read for nothing, and no request asks for more than `registers_max`.
 */
export function blocksOf(
  ranges: readonly ModbusRange[],
  { gap_max, registers_max }: { gap_max: number; registers_max: number },
): ModbusBlock[] {
  const blocks: { block: ModbusRange; ranges: ModbusRange[] }[] = [];
  const inOrder = [...ranges].sort(
    (a, b) => a.unit_id - b.unit_id || a.table.localeCompare(b.table) || a.address - b.address,
  );
  for (const range of inOrder) {
    const last = blocks.at(-1);
    const bits = range.table === "coil" || range.table === "discrete" ? BITS_PER_REGISTER : 1;
    if (last && last.block.unit_id === range.unit_id && last.block.table === range.table) {
      const end = last.block.address + last.block.count;
      const count = Math.max(end, range.address + range.count) - last.block.address;
      if (range.address - end <= gap_max * bits && count <= registers_max * bits) {
        last.block = { ...last.block, count };
        last.ranges.push(range);
        continue;
      }
    }
    blocks.push({ block: range, ranges: [range] });
  }
  return blocks.map(({ block, ranges: of_block }) => ({ ...block, ranges: of_block }));
}
