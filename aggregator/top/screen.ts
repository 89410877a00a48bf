import type { Colours } from "../../shared/colours.ts";
import type { Overview, RackSummary } from "../../shared/contracts/overview.ts";
import { type Column, cut, table } from "../cli/table.ts";
import { figure, plain, span } from "../cli/text.ts";
import { modeName } from "../control/mode-event-text.ts";
import { racksOfOtherMode, siteModeText } from "../control/site-mode-text.ts";
import { severityPaint, severityText } from "../incidents/incident-text.ts";
import { relativeD, scrolled, type View, visibleRacks } from "./view.ts";

export interface Size {
  columns: number;
  rows: number;
}

/** How the figures came: live, or what keeps them from coming and since when. */
export type Link = { up: true } | { up: false; reason: string; since_ms: number };

export interface Shown {
  overview: Overview;
  view: View;
  link: Link;
  now_ms: number;
}

interface Screen {
  /** As many as the terminal has rows. */
  lines: string[];
  /** Where the list was scrolled to. */
  view: View;
  /** How many racks fit. */
  page: number;
}

/** A terminal full: site, incidents, racks, and what the keys do. */
export function screen(shown: Shown, size: Size, colours: Colours): Screen {
  const { overview } = shown;
  const head = [...siteLines(shown, size.columns, colours), ...incidentLines(shown, size, colours), ""];
  const racks = visibleRacks(overview, shown.view);
  const { selected } = shown.view;
  const details = shown.view.details ? ["", ...detailLines(overview, selected, size.columns, colours)] : [];
  // Besides the racks: the table's head, and below it what is shown and what the keys do.
  const page = Math.max(1, size.rows - head.length - details.length - 3);
  const view = scrolled(shown.view, racks, page);
  const body = shown.view.help
    ? helpLines(size.columns, colours)
    : rackLines(racks.slice(view.first, view.first + page), overview, view.selected, size.columns, colours);
  const filler = Array.from({ length: Math.max(0, page + 1 - body.length) }, () => "");
  const position = positionText(racks.length, overview.rack_list.length, view, page);
  const foot = [
    cut(`${position}   ${choiceText(view)}`, size.columns),
    keysLine(view, size.columns, colours),
  ];
  const lines = [...head, ...body.slice(0, page + 1), ...filler, ...details, ...foot];
  return { lines: lines.slice(0, size.rows), view, page };
}

/** The same without a terminal: everything, once. */
export function report(shown: Shown, width: number, colours: Colours): string[] {
  const { overview, view } = shown;
  const incidents = overview.incidents.map((incident) =>
    incidentLine(incident, shown.now_ms, width, colours),
  );
  const racks = rackLines(visibleRacks(overview, view), overview, null, width, colours);
  return [...siteLines(shown, width, colours), ...incidents, "", ...racks];
}

const STATE_MARKS = { nominal: "●", transient: "▲", persistent: "■", unknown: "○" } as const;

function statePaint(colours: Colours, state: RackSummary["state"]) {
  return { nominal: colours.green, transient: colours.yellow, persistent: colours.red, unknown: colours.dim }[
    state
  ];
}

/** A narrower terminal has room for the mode and the link, but not for so many words. */
const WORDS_COLUMNS = 72;

/** With the racks of another mode, unless the kill switch stops them all. */
function modeTitle(
  { kill_switch, rack_list, ...state }: Overview,
  width: number,
  { yellow }: Colours,
): string {
  const others = kill_switch ? 0 : racksOfOtherMode(state, rack_list);
  const short = `${modeName(state.mode)}${others > 0 ? ` +${others}` : ""}`;
  const text = others > 0 && width >= WORDS_COLUMNS ? siteModeText(state, rack_list) : short;
  return state.mode === "closed_loop" || others > 0 ? yellow(text) : text;
}

function siteLines({ overview, link, now_ms }: Shown, width: number, colours: Colours): string[] {
  const { bold, red, dim } = colours;
  const { site, kill_switch, model_id, ts, racks, kpis, limits } = overview;
  const titles = [
    bold(`Skadi ${site}`),
    modeTitle(overview, width, colours),
    ...(kill_switch ? [red(bold("KILL SWITCH ON"))] : []),
    link.up ? dim("live") : red(`NOT LIVE for ${span(now_ms - link.since_ms)}`),
    `${ts.slice(11, 19)}Z`,
    model_id === null ? red("no model") : dim(`model ${plain(model_id)}`),
  ];
  const counts = [
    `${racks.online}/${racks.total} online`,
    ...(["persistent", "transient", "nominal", "unknown"] as const).map((state) => {
      const text = `${STATE_MARKS[state]} ${racks[state]} ${state}`;
      return racks[state] > 0 ? statePaint(colours, state)(text) : dim(text);
    }),
  ];
  const compliance = `inlets in limit ${figure(kpis.inlet_compliance_pct, 1)} %`;
  const p95 = `p95 ${figure(kpis.latency_p95_ms, 0)} ms`;
  const out = kpis.inlet_compliance_pct !== null && kpis.inlet_compliance_pct < 100;
  const slow = kpis.latency_p95_ms !== null && kpis.latency_p95_ms >= limits.latency_p95_ms;
  const figures = [
    `${figure(kpis.wh_per_prompt, 3)} Wh/prompt`,
    `${figure(kpis.pdu_kw, 0)} kW`,
    slow ? red(p95) : p95,
    out ? red(compliance) : compliance,
    ...(kpis.energy_saved_pct === null ? [] : [`saved ${figure(kpis.energy_saved_pct, 1)} %`]),
  ];
  return [
    joined(titles, width),
    joined(counts, width),
    joined(figures, width),
    ...(link.up ? [] : [red(cut(plain(link.reason), width))]),
  ];
}

/** As many of the parts as fit. */
function joined(parts: readonly string[], width: number): string {
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line}   ${part}`;
    if (visibleLength(longer) > width) break;
    line = longer;
  }
  return line;
}

const visibleLength = (text: string) => plain(text).length;

/** More incidents than this would leave no room for racks. */
const INCIDENTS_SHARE = 1 / 8;

function incidentLines({ overview, now_ms }: Shown, { columns, rows }: Size, colours: Colours): string[] {
  const { incidents } = overview;
  const rank = { critical: 0, warning: 1, info: 2 } as const;
  const worst = incidents.toSorted((a, b) => rank[a.severity] - rank[b.severity]);
  const room = Math.max(1, Math.floor(rows * INCIDENTS_SHARE));
  const shown = worst.slice(0, worst.length > room ? Math.max(1, room - 1) : room);
  const lines = shown.map((incident) => incidentLine(incident, now_ms, columns, colours));
  const left = worst.length - shown.length;
  return left > 0 ? [...lines, colours.dim(`  and ${left} more: skadi-aggregator incidents`)] : lines;
}

function incidentLine(
  incident: Overview["incidents"][number],
  now_ms: number,
  width: number,
  colours: Colours,
): string {
  const { title, opened_at, status, maintenance } = incident;
  const severity = severityText(incident);
  const who = maintenance ? "maintenance" : status === "acknowledged" ? "acknowledged" : "open";
  const end = `  ${who} ${span(now_ms - Date.parse(opened_at))}`;
  const text = cut(plain(title), Math.max(10, width - severity.length - end.length - 2));
  const line = `${severityPaint(colours, incident)(severity)}  ${text}${colours.dim(end)}`;
  return line;
}

const FEATURES: Readonly<Record<string, string>> = {
  inlet_c: "inlet",
  outlet_c: "outlet",
  delta_t: "ΔT",
  pdu_kw: "power",
  gpu_power_kw: "GPU",
  tokens_ps: "tokens",
  latency_p95_ms: "p95",
  queue_depth: "queue",
  fan_rpm_pct: "fan",
  pump_rpm_pct: "pump",
};

const WHY_COUNT = 3;
/** Enough for one feature and its share; padded to it, so that columns do not come and go with the figures. */
const WHY_MIN = 14;

const whyText = ({ contributions }: RackSummary) =>
  contributions
    .slice(0, WHY_COUNT)
    .map(({ feature, share }) => `${FEATURES[feature] ?? feature} ${figure(100 * share, 0)} %`)
    .join(", ");

/** Padded, so that the columns stand still while the figures move. An exclamation mark says what the colour says. */
function quantity(
  head: string,
  width: number,
  digits: number,
  value: (rack: RackSummary) => number | null,
  alarm: { limit: number; paint: (text: string) => string } | null,
  drop?: number,
): Column<RackSummary> {
  const over = (rack: RackSummary) =>
    alarm !== null && (value(rack) ?? Number.NEGATIVE_INFINITY) >= alarm.limit;
  return {
    head: alarm ? `${head} ` : head,
    text: (rack) =>
      `${figure(value(rack), digits).padStart(width)}${alarm === null ? "" : over(rack) ? "!" : " "}`,
    paint: (text, rack) => (over(rack) ? alarm!.paint(text) : text),
    align: "right",
    ...(drop === undefined ? {} : { drop }),
  };
}

function rackColumns({ limits }: Overview, selected: string | null, colours: Colours): Column<RackSummary>[] {
  const { red, yellow, dim, bold } = colours;
  const mark = (rack: RackSummary) => rack.rack_id === selected;
  const stateText = ({ state, online }: RackSummary) =>
    online ? `${STATE_MARKS[state]} ${state}` : "× offline";
  const dPaint = ({ d, tau_fast, tau_persist }: RackSummary) => {
    if (d === null || tau_fast === null || tau_persist === null) return dim;
    return d >= tau_persist ? red : d >= tau_fast ? yellow : (text: string) => text;
  };
  return [
    {
      head: "  RACK",
      text: (rack) => `${mark(rack) ? "›" : " "} ${rack.rack_id}`,
      paint: (text, rack) => (mark(rack) ? bold(text) : text),
    },
    {
      head: "STATE",
      text: (rack) => stateText(rack).padEnd(12),
      paint: (text, rack) => (rack.online ? statePaint(colours, rack.state) : dim)(text),
    },
    {
      head: "D",
      text: ({ d }) => figure(d, 2).padStart(5),
      paint: (text, rack) => dPaint(rack)(text),
      align: "right",
    },
    quantity("D/TAU", 5, 2, relativeD, null, 6),
    quantity("INLET", 5, 1, ({ inlet_c }) => inlet_c, { limit: limits.inlet_c, paint: red }),
    quantity("OUTLET", 6, 1, ({ outlet_c }) => outlet_c, null, 3),
    quantity("KW", 5, 1, ({ pdu_kw }) => pdu_kw, { limit: limits.rack_kw, paint: red }, 1),
    quantity(
      "P95",
      4,
      0,
      ({ latency_p95_ms }) => latency_p95_ms,
      { limit: limits.latency_p95_ms, paint: red },
      2,
    ),
    quantity("QUEUE", 5, 0, ({ queue_depth }) => queue_depth, null, 9),
    quantity("TOK/S", 6, 0, ({ tokens_ps }) => tokens_ps, null, 8),
    quantity("FAN", 4, 0, ({ fan_rpm_pct }) => fan_rpm_pct, null, 4),
    quantity("PUMP", 4, 0, ({ pump_rpm_pct }) => pump_rpm_pct, null, 5),
    { head: "MODE", text: ({ mode }) => mode.padEnd(11), drop: 7 },
    {
      head: "WHY",
      text: (rack) => whyText(rack).padEnd(WHY_MIN),
      paint: (text, rack) => (rack.level === "nominal" ? dim(text) : text),
      min: WHY_MIN,
    },
  ];
}

function rackLines(
  racks: readonly RackSummary[],
  overview: Overview,
  selected: string | null,
  width: number,
  colours: Colours,
): string[] {
  if (racks.length === 0) return [colours.dim("  No rack fits the filter")];
  const [head = "", ...lines] = table(rackColumns(overview, selected, colours), racks, width, 1);
  return [colours.bold(head), ...lines];
}

function choiceText({ sort, reversed, row, state, text, paused }: View): string {
  const filters = [
    ...(row === null ? [] : [`row ${row}`]),
    ...(state === null ? [] : [state]),
    ...(text === "" ? [] : [`"${text}"`]),
  ];
  const order = `sort ${sort}${reversed ? " reversed" : ""}`;
  return [order, filters.join(", ") || "all racks", ...(paused ? ["PAUSED"] : [])].join("   ");
}

function keysLine({ typing, text }: View, width: number, { bold, dim }: Colours): string {
  if (typing) return bold(`filter by rack: ${text}▏`);
  return dim(cut("q quit  ? help  s sort  r reverse  w row  t state  / find  ↑↓ select  ↵ why", width));
}

function positionText(count: number, total: number, { first }: View, page: number): string {
  const of = count === total ? `${total}` : `${count} (of ${total})`;
  return count === 0 ? `0 of ${total}` : `${first + 1}–${Math.min(count, first + page)} of ${of}`;
}

const BAR_CELLS = 20;

/** The selected rack: how it deviates, as bars, and all its figures. */
function detailLines(overview: Overview, selected: string | null, width: number, colours: Colours): string[] {
  const rack = overview.rack_list.find(({ rack_id }) => rack_id === selected);
  if (!rack) return ["No rack is selected"];
  const { bold } = colours;
  const { rack_id, state, d, tau_fast, tau_persist, mms_state, mms_ema, contributions, agent_online } = rack;
  const paint = statePaint(colours, state);
  const agent = agent_online
    ? `agent online, ${rack.mode}, model ${rack.agent_model_id ?? "none"}`
    : "agent offline";
  return [
    `${bold(rack_id)}  ${paint(`${STATE_MARKS[state]} ${state}`)}`,
    cut(
      `D ${figure(d, 2)}, tau_fast ${figure(tau_fast, 2)}, tau_persist ${figure(tau_persist, 2)}; MMS ${mms_state ?? "–"}, average D ${figure(mms_ema, 2)}`,
      width,
    ),
    ...contributions.slice(0, WHY_COUNT).map(({ feature, share }) => {
      const cells = Math.round(share * BAR_CELLS);
      const name = (FEATURES[feature] ?? feature).padEnd(7);
      return `${name} ${paint("█".repeat(cells))}${"·".repeat(BAR_CELLS - cells)} ${figure(100 * share, 0)} %`;
    }),
    cut(plain(agent), width),
  ];
}

function helpLines(width: number, { bold, dim }: Colours): string[] {
  const keys = [
    ["s S", "sort by the next or previous quantity; r turns the order round"],
    ["w", "only the next row's racks"],
    ["t", "only racks in the next state: unknown, persistent, transient …"],
    ["/", "only racks whose id holds what you type; enter ends"],
    ["↑ ↓ k j", "select a rack; also PgUp, PgDn, Home, End"],
    ["enter", "why the selected rack deviates"],
    ["space", "pause"],
    ["esc", "close, or show all racks again"],
    ["q", "quit"],
  ];
  return [
    bold("Keys"),
    ...keys.map(([key = "", what]) => cut(`  ${key.padEnd(9)}${what}`, width)),
    dim(cut("! a limit of the site is reached   ■ persistent   ▲ transient   ● nominal", width)),
  ];
}
