const SEPARATORS = [",", ";", "\t", "|"];

/** What a CSV file's header says of its rows. */
export interface Layout {
  /** The byte between two cells. */
  separator: number;
  /** The file's columns, in its order. */
  header: readonly string[];
  /** The columns asked for, in the order asked for: a row's values. */
  columns: readonly string[];
}

/** @param line the header, with or without its line ending */
export function layoutOf(line: string, columns: readonly string[]): Layout {
  const text = line.trimEnd();
  const separator = SEPARATORS.find((candidate) => text.includes(candidate)) ?? ",";
  const header = text.split(separator).map((name) => name.replaceAll('"', "").trim());
  return { separator: separator.charCodeAt(0), header, columns };
}
