/** Style of the training report. */
export const REPORT_STYLE = `
:root {
  --text: light-dark(#1c2430, #dfe5ee); --dim: light-dark(#5b6675, #97a3b4); --page: light-dark(#f6f7f9, #12161c);
  --card: light-dark(#ffffff, #1a2029); --line: light-dark(#d8dde4, #323b48);
  --blue: light-dark(#2f6fb5, #5c9be0); --grey: light-dark(#b9c1cc, #4a5565); --orange: light-dark(#d9822b, #e59a4a);
  --red: light-dark(#c03a2b, #f0705f);
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
figure { margin: 0; } figcaption { font-weight: 600; font-size: 13px; }
svg { display: block; width: 100%; height: auto; } svg.wide { min-width: 640px; } svg.roc { max-width: 420px; }
svg text { fill: var(--text); font: 11px system-ui, sans-serif; }
.all { fill: var(--grey); } .nominal { fill: var(--blue); fill-opacity: 0.65; }
.above { fill: var(--orange); } .below { fill: var(--blue); }
.axis, .frame { stroke: var(--line); fill: none; } .threshold { stroke: var(--red); stroke-width: 1.5; }
.curve { stroke: var(--blue); stroke-width: 2; fill: none; } .mark { fill: var(--red); }
`;
