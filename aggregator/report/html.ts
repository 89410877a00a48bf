import { REPORT_STYLE } from "./style.ts";

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Four significant digits, without an exponent for what a rack measures. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const magnitude = Math.abs(value);
  if (magnitude >= 1_000) return Math.round(value).toLocaleString("en");
  return value.toFixed(magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2);
}

/** Self-contained: no scripts, nothing from elsewhere, in the reader's light or dark; `title` is plain text. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** @param title,body HTML */
export function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`;
}

/** Names and values, as plain text. */
export function facts(entries: readonly (readonly [name: string, text: string])[]): string {
  const rows = entries.map(([name, text]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd>`);
  return `<dl>${rows.join("")}</dl>`;
}

export interface Column<T> {
  head: string;
  of: (row: T) => string;
  /** Figures stand to the right. */
  number?: boolean;
}

/** A table of plain text; the first column names the row. Says so where there is nothing to show. */
export function table<T>(caption: string, columns: readonly Column<T>[], rows: readonly T[]): string {
  if (rows.length === 0) return `<p>${escapeHtml(caption)}: none.</p>`;
  const css = (column: Column<T>) => (column.number ? ' class="number"' : "");
  const head = columns.map((column) => `<th scope="col"${css(column)}>${escapeHtml(column.head)}</th>`);
  const line = (row: T) =>
    columns.map((column, i) => {
      const text = escapeHtml(column.of(row));
      return i === 0 ? `<th scope="row">${text}</th>` : `<td${css(column)}>${text}</td>`;
    });
  return (
    `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${head.join("")}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${line(row).join("")}</tr>`).join("")}</tbody></table>`
  );
}
