import Table from "cli-table3";
import stringWidth from "string-width";
import { plain } from "./text.ts";

/** One column of a table of things `T`. */
export interface Column<T> {
  head: string;
  text: (row: T) => string;
  /** Colours a cell; never its width. */
  paint?: ((text: string, row: T) => string) | undefined;
  align?: "left" | "right";
  /** May be cut to this width where the terminal is narrow. */
  min?: number;
  /** Left out where the terminal is too narrow even so; the highest first. Without it the column always stays. */
  drop?: number;
}

interface Fitted<T> {
  column: Column<T>;
  width: number;
}

/**
 * A table without lines, as wide as the terminal at most: columns that may are cut, then columns that may are left out,
 * then the last is cut. Texts are made harmless for the terminal.
 *
 * @param width of the terminal; Infinity where there is none, so that a pipe gets everything
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number,
  gap = 2,
): string[] {
  const texts = new Map(columns.map((column) => [column, rows.map((row) => plain(column.text(row)))]));
  const widest = (column: Column<T>) =>
    Math.max(stringWidth(column.head), ...texts.get(column)!.map((text) => stringWidth(text)));
  const fitted = layOut(
    columns.map((column) => ({ column, width: widest(column) })),
    width,
    gap,
  );
  const grid = new Table({
    chars: BORDERLESS,
    head: fitted.map(({ column }) => column.head),
    colWidths: fitted.map((entry) => entry.width + gap),
    colAligns: fitted.map(({ column }) => column.align ?? "left"),
    style: { head: [], border: [], "padding-left": 0, "padding-right": gap },
  });
  for (const [i, row] of rows.entries()) {
    grid.push(
      fitted.map(({ column, width: room }) => {
        const text = cut(texts.get(column)![i]!, room);
        return column.paint ? column.paint(text, row) : text;
      }),
    );
  }
  return grid
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

const BORDERLESS = Object.fromEntries(
  [
    ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
    ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"],
  ].map((place) => [place, ""]),
);

function layOut<T>(columns: readonly Fitted<T>[], width: number, gap: number): Fitted<T>[] {
  const fitted = columns.map((entry) => ({ ...entry }));
  const excess = () => fitted.reduce((sum, entry) => sum + entry.width + gap, -gap) - width;
  const shrink = (entry: Fitted<T>, min: number) => {
    entry.width = Math.max(Math.min(entry.width, min), entry.width - Math.max(0, excess()));
  };
  // A column that is left out makes room for those that were cut.
  for (;;) {
    for (const entry of fitted) entry.width = columns.find(({ column }) => column === entry.column)!.width;
    for (const entry of fitted) if (entry.column.min !== undefined) shrink(entry, entry.column.min);
    if (excess() <= 0) return fitted;
    const droppable = fitted.filter(({ column }) => column.drop !== undefined);
    if (droppable.length === 0) break;
    const first = droppable.reduce((a, b) => (b.column.drop! > a.column.drop! ? b : a));
    fitted.splice(fitted.indexOf(first), 1);
  }
  const last = fitted.at(-1);
  if (last) shrink(last, 1);
  return fitted;
}

/** The text in at most so many columns of the terminal; an ellipsis shows that there was more. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  for (const letter of text) {
    if (stringWidth(kept + letter) > width - 1) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** How wide what goes to the stream may be. */
export const widthOf = (stream: { isTTY?: boolean; columns?: number }): number =>
  stream.isTTY ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
