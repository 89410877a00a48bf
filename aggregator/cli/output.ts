import { userInfo } from "node:os";
import { coloursFor } from "../../shared/colours.ts";
import { type Column, table, widthOf } from "./table.ts";

/** Prints the value as one JSON line where --json was given, else the lines for people. */
export function print(value: unknown, lines: () => readonly string[], flags: { json?: boolean }): void {
  const text = flags.json ? [JSON.stringify(value)] : lines();
  if (text.length > 0) process.stdout.write(`${text.join("\n")}\n`);
}

/** A table as wide as the terminal, or a sentence where there is nothing to show. */
export function tableOr<T>(nothing: string, columns: readonly Column<T>[], rows: readonly T[]): string[] {
  return rows.length === 0 ? [nothing] : table(columns, rows, widthOf(process.stdout));
}

export const colours = coloursFor(process.stdout);

/** Who is sitting here, as other people will read it. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the password file, as in some containers.
    return "operator";
  }
}
