import { userInfo } from "node:os";
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { coloursFor } from "../../shared/colours.ts";
import { type Column, table, widthOf } from "./table.ts";

/** Prints the value as one JSON line where --json was given, else the lines for people. */
export function print(value: unknown, lines: () => readonly string[], flags: { json?: boolean }): void {
  const text = flags.json ? [JSON.stringify(value)] : lines().map((line) => wrapped(line));
  if (text.length > 0) process.stdout.write(`${text.join("\n")}\n`);
}

const INDENT = 2;

/** The line, broken between words where the terminal is too narrow for it, and then indented. */
export function wrapped(line: string, width = widthOf(process.stdout)): string {
  if (stringWidth(line) <= width) return line;
  const [indent = ""] = /^ */.exec(line) ?? [];
  const further = indent + " ".repeat(INDENT);
  const text = wrapAnsi(line.slice(indent.length), width - further.length, { hard: true });
  return indent + text.replaceAll("\n", `\n${further}`);
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
