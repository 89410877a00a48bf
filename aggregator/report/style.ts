/** Style of the reports: light and dark, screen and paper. */
export const REPORT_STYLE = `
:root {
  --text: light-dark(#1c2430, #dfe5ee); --dim: light-dark(#5b6675, #97a3b4); --page: light-dark(#f6f7f9, #12161c);
  --card: light-dark(#ffffff, #1a2029); --line: light-dark(#d8dde4, #323b48);
  --blue: light-dark(#2f6fb5, #5c9be0); --grey: light-dark(#b9c1cc, #4a5565); --orange: light-dark(#d9822b, #e59a4a);
  --red: light-dark(#c03a2b, #f0705f); --deep: light-dark(#1d3f66, #a9c9ee);
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 16px 48px; max-width: 1000px; color: var(--text); background: var(--page);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 0 0 8px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px; margin: 16px 0;
  overflow-x: auto; }
p { color: var(--dim); margin: 8px 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; margin: 0 0 12px; }
.tiles div { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.tiles dt { font-size: 12px; } .tiles dd { font-size: 19px; font-weight: 600; overflow-wrap: normal; }
figure { margin: 0 0 12px; } figcaption { font-weight: 600; font-size: 13px; }
table { border-collapse: collapse; width: 100%; margin: 8px 0 16px; font-size: 13px; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { text-align: left; vertical-align: top; padding: 3px 12px 3px 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { font-weight: 600; } thead th { color: var(--dim); } tbody th { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; } svg.wide { min-width: 640px; } svg.roc { max-width: 420px; }
svg text { fill: var(--text); font: 11px system-ui, sans-serif; }
.all { fill: var(--grey); } .nominal { fill: var(--blue); fill-opacity: 0.65; }
.above { fill: var(--orange); } .below { fill: var(--blue); } .blank { fill: none; stroke: var(--line); }
.persistent { fill: none; stroke: var(--red); stroke-width: 2; }
.axis, .frame, .grid-line { stroke: var(--line); fill: none; } .threshold { stroke: var(--red); stroke-width: 1.5; }
.halo text { paint-order: stroke; stroke: var(--card); stroke-width: 3; }
.curve { stroke: var(--blue); stroke-width: 2; fill: none; } .mark { fill: var(--red); }
.line { fill: none; stroke-width: 1.6; } .line.s0 { stroke: var(--blue); }
.line.s1 { stroke: var(--deep); stroke-dasharray: 6 3; } .line.s2 { stroke: var(--orange); stroke-dasharray: 2 2; }
.line.s3 { stroke: var(--dim); }
.on-strong text { fill: light-dark(#1c2430, #12161c); }
.fill.s0 { fill: var(--blue); } .fill.s1 { fill: var(--deep); } .fill.s2 { fill: var(--orange); }
.fill.s3 { fill: var(--grey); }
@page { size: A4; margin: 14mm 12mm 16mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9px sans-serif; } }
@media print {
  :root { color-scheme: light; --page: #ffffff; }
  body { max-width: none; padding: 0; font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 18px; margin: 0 0 8px; } h2 { font-size: 14px; break-after: avoid; }
  section { border: 0; border-radius: 0; padding: 0; margin: 0 0 14px; overflow: visible; }
  svg.wide { min-width: 0; } figure, .tiles, tr, dl { break-inside: avoid; } caption { break-after: avoid; }
  figcaption { font-size: 11px; } thead { display: table-header-group; } table { font-size: 9.5px; } .tiles { grid-template-columns: repeat(5, 1fr); }
  .tiles dd { font-size: 14px; }
}
`;
