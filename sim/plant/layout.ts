import { rowOf } from "../../shared/contracts/rack.ts";
import { skadiError } from "../../shared/errors.ts";

/** Where the racks stand: air mixes with the neighbours of the same row only, rows are separate aisles. */
export interface Layout {
  rack_ids: readonly string[];
  row_of: readonly string[];
  /** Index of the rack to the left and right in the row, or the rack itself at a row's end. */
  left: Int32Array;
  right: Int32Array;
  /** Throws SKADI_UNKNOWN_RACK. */
  index(rack_id: string): number;
  racksInRow(row: string): number[];
}

export function createLayout(rack_ids: readonly string[]): Layout {
  const ids = [...rack_ids];
  const row_of = ids.map(rowOf);
  const index_of = new Map(ids.map((id, i) => [id, i]));
  const left = Int32Array.from(ids.keys());
  const right = Int32Array.from(ids.keys());
  const rows = Map.groupBy(ids.keys(), (i) => row_of[i]!);
  for (const row of rows.values()) {
    row.sort((a, b) => positionOf(ids[a]!) - positionOf(ids[b]!));
    for (let k = 1; k < row.length; k++) {
      left[row[k]!] = row[k - 1]!;
      right[row[k - 1]!] = row[k]!;
    }
  }
  return {
    rack_ids: ids,
    row_of,
    left,
    right,
    index(rack_id) {
      const i = index_of.get(rack_id);
      if (i === undefined) throw skadiError("SKADI_UNKNOWN_RACK", { field: "rack_id", value: rack_id });
      return i;
    },
    racksInRow: (row) => [...(rows.get(row) ?? [])],
  };
}

function positionOf(rack_id: string): number {
  return Number(rack_id.split("-")[2]);
}
