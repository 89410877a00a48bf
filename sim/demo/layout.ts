import { racksOf, rowNames } from "../../shared/contracts/rack.ts";

const RACKS_PER_ROW = 12;

export interface HallLayout {
  rows: string[];
  racks_per_row: number;
  /** The racks that run; the last row may be shorter than the others. */
  rack_ids: string[];
}

/** A hall of `count` racks in rows of twelve. */
export function hallLayout(count: number): HallLayout {
  const racks_per_row = Math.min(count, RACKS_PER_ROW);
  const rows = rowNames(Math.ceil(count / racks_per_row));
  return { rows, racks_per_row, rack_ids: racksOf(rows, racks_per_row).slice(0, count) };
}
