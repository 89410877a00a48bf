import type { ComponentChildren, JSX, Key } from "preact";

interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  /** Figures stand at the right, so that they can be compared. */
  numeric?: boolean;
  /** Left out on narrow screens. */
  minor?: boolean;
}

interface TableProps<T> {
  /** What the table is, for those who cannot see it. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => Key;
}

export function Table<T>({ caption, columns, rows, rowKey }: TableProps<T>): JSX.Element {
  const kind = ({ numeric, minor }: Column<T>) => `${numeric ? "numeric" : ""} ${minor ? "minor" : ""}`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="table-scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" class={kind(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.title} class={kind(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
