import * as z from "zod";

/** Rack identity: `R-<row>-<nn>`, for example R-C-07. */
export const RackId = z
  .string()
  .regex(/^R-[A-Z]{1,2}-\d{2,3}$/, "a rack id of the form R-<row>-<nn>, e.g. R-C-07");

/** Site identity: one MQTT topic level. */
export const SiteId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "1–32 of a–z, 0–9, - and _");

/** The racks of a site that is laid out in equal rows, row by row. */
export function racksOf(rows: readonly string[], racks_per_row: number): string[] {
  return rows.flatMap((row) =>
    Array.from({ length: racks_per_row }, (_, i) => `R-${row}-${String(i + 1).padStart(2, "0")}`),
  );
}

/** The row letters of a rack id; throws nothing, since a RackId always has them. */
export function rowOf(rack_id: string): string {
  return rack_id.slice(2, rack_id.lastIndexOf("-"));
}

/** The first `count` row names: A … Z, AA, AB … */
export function rowNames(count: number): string[] {
  const letter = (i: number) => String.fromCharCode(65 + i);
  return Array.from({ length: count }, (_, i) =>
    i < 26 ? letter(i) : letter(Math.floor(i / 26) - 1) + letter(i % 26),
  );
}
