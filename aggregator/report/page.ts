import type { RackCell, Report } from "../../shared/contracts/report.ts";
import { siteModeText } from "../control/site-mode-text.ts";
import { escapeHtml, facts, figure, htmlPage, section, table } from "./html.ts";
import {
  barChart,
  lineChart,
  type MapCell,
  pairedBars,
  siteMap,
  stackChart,
  type TimeSpan,
} from "./pictures.ts";

interface PageOptions {
  /** Instants are written in this time zone. */
  timezone?: string;
}

/** The report as one HTML page that needs nothing else, on screen and on paper. */
export function reportPage(report: Report, { timezone = "UTC" }: PageOptions = {}): string {
  const local = localTime(timezone);
  const span: TimeSpan = {
    from_ms: Date.parse(report.period.from),
    to_ms: Date.parse(report.period.to),
    step_ms: report.period.step_s * 1000,
    label: local.short,
  };
  const { site } = report.overview;
  const title = `Site ${site}, ${local.full(report.period.from)} – ${local.full(report.period.to)}`;
  const sections = [
    section("Summary", summary(report, local)),
    section("State", state(report, local)),
    section("Deviations", deviations(report, span)),
    section("Energy", energy(report, span)),
    section("MMS: transient or persistent", mms(report)),
    section("Incidents", incidents(report, local)),
    section("Actions", actions(report, span, local)),
    section("Savings", savings(report)),
    section("Timeline", timeline(report, local)),
  ];
  const head =
    `<h1>${escapeHtml(title)}</h1>` +
    `<p>Made ${escapeHtml(local.full(report.generated_at))}. Times are in ${escapeHtml(timezone)}; one step of the pictures is ${span.step_ms / 60_000} min.</p>`;
  return htmlPage(`Skadi report: ${title}`, `<main>${head}${sections.join("\n")}</main>`);
}

interface LocalTime {
  /** 2026-01-31 12:00 */
  full(ts: string): string;
  /** 01-31 12:00 */
  short(ts_ms: number): string;
}

function localTime(timezone: string): LocalTime {
  const common = { timeZone: timezone, hourCycle: "h23", hour: "2-digit", minute: "2-digit" } as const;
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat("sv", {
    ...common,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return {
    full: (ts) => format.format(Date.parse(ts)),
    short: (ts_ms) => format.format(ts_ms).slice("2026-".length),
  };
}

const percent = (share: number) => `${figure(100 * share)} %`;
const known = (value: number | null, unit: string) => (value === null ? "–" : `${figure(value)} ${unit}`);
const counts = (record: Record<string, number>) =>
  Object.entries(record)
    .map(([name, n]) => `${n} ${name}`)
    .join(", ") || "none";

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes === 0) return `${Math.round(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function summary(
  { overview, energy: e, savings: s, incidents: i, actions: a, state: st }: Report,
  local: LocalTime,
) {
  const { measured } = s;
  const tiles: [string, string][] = [
    ["Persistent racks", `${st.by_condition.persistent ?? 0} of ${st.cells.length}`],
    ["Energy of the racks", `${figure(e.energy_kwh)} kWh`],
    ["Energy per prompt", known(e.wh_per_prompt, "Wh")],
    ["Against the baseline", e.saved_pct === null ? "–" : `${figure(-e.saved_pct)} %`],
    ["Incidents", i === null ? "–" : `${i.total}, ${i.open} open`],
    ["Actions", String(a.in_period)],
    ["Taken back", String(a.rollbacks.length)],
    ["Measured saving", measured ? `${figure(measured.saving_pct)} %` : "–"],
  ];
  const { kpis } = overview;
  return (
    `<dl class="tiles">${tiles.map(([name, text]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd></div>`).join("")}</dl>` +
    facts([
      ["Mode now", `${siteModeText(overview, st.cells)}${overview.kill_switch ? ", kill switch ON" : ""}`],
      ["Model in force", overview.model_id ?? "none"],
      ["Racks at the end", `${counts(st.by_condition)} (${local.full(st.ts)})`],
      [
        "Baseline",
        `${figure(e.baseline_wh_per_prompt)} Wh per prompt, as configured; the period served ${figure(e.tokens)} tokens`,
      ],
      [
        "Now",
        `inlets within the limit ${known(kpis.inlet_compliance_pct, "%")}, p95 ${known(kpis.latency_p95_ms, "ms")} (highest ${known(kpis.latency_p95_max_ms, "ms")}), power ${figure(kpis.pdu_kw)} kW`,
      ],
    ])
  );
}

function state({ state: st, overview }: Report, local: LocalTime): string {
  const { inlet_c: limit_c } = overview.limits;
  const cell = (rack: RackCell) => ({
    ...{ label: rack.rack_id, row: rack.row, position: rack.position },
    persistent: rack.state === "persistent",
  });
  const by_d: MapCell[] = st.cells.map((rack) => ({
    ...cell(rack),
    value: rack.d,
    tone: rack.d !== null && rack.tau_fast !== null ? rack.d / rack.tau_fast - 1 : 0,
  }));
  const by_inlet: MapCell[] = st.cells.map((rack) => ({
    ...cell(rack),
    value: rack.inlet_c,
    tone: rack.inlet_c === null ? 0 : inletTone(rack.inlet_c, limit_c),
  }));
  const at = local.full(st.ts);
  const worst = table(
    `Racks by D, highest first (${at})`,
    [
      { head: "Rack", of: (rack) => rack.rack_id },
      { head: "D", of: (rack) => known(rack.d, ""), number: true },
      { head: "tau_fast", of: (rack) => known(rack.tau_fast, ""), number: true },
      { head: "State", of: (rack) => rack.state },
      { head: "Inlet °C", of: (rack) => known(rack.inlet_c, ""), number: true },
      {
        head: "Shares of D²",
        of: (rack) =>
          rack.contributions.map(({ feature, share }) => `${feature} ${percent(share)}`).join(", "),
      },
    ],
    st.worst,
  );
  return (
    siteMap(
      {
        title: `Deviation D by rack (${at})`,
        description: `Rows ${rowsOf(st.cells)}. Blue below tau_fast, orange above it; a red frame marks persistent racks. ${counts(st.by_condition)}.`,
      },
      by_d,
      "σ",
    ) +
    siteMap(
      {
        title: `Inlet temperature in °C (${at})`,
        description: `Blue below the limit of ${limit_c} °C, paler towards it, orange above it. ${worstInlet(st.cells)}`,
      },
      by_inlet,
      "°C",
    ) +
    `<p>Blue: below tau_fast, or below the inlet limit of ${limit_c} °C; orange: above. Paler is nearer. A red frame: persistent.</p>${worst}`
  );
}

/** This far below its limit an inlet has the full blue, this far above it the full orange. */
const INLET_BELOW_C = 10;
const INLET_ABOVE_C = 4;

function inletTone(inlet_c: number, limit_c: number): number {
  return inlet_c < limit_c
    ? -Math.min(1, (limit_c - inlet_c) / INLET_BELOW_C)
    : Math.min(1, 0.3 + (inlet_c - limit_c) / INLET_ABOVE_C);
}

function rowsOf(cells: readonly RackCell[]): string {
  return [...new Set(cells.map((cell) => cell.row))].join(", ");
}

function worstInlet(cells: readonly RackCell[]): string {
  const warmest = cells.reduce<RackCell | null>(
    (most, cell) => ((cell.inlet_c ?? -Infinity) > (most?.inlet_c ?? -Infinity) ? cell : most),
    null,
  );
  return warmest ? `Warmest: ${warmest.rack_id} with ${known(warmest.inlet_c, "°C")}.` : "No inlet is known.";
}

function deviations({ deviation_history: history }: Report, span: TimeSpan): string {
  const { steps, tau_fast, tau_persist, worst } = history;
  if (steps.length === 0) return "<p>No rack was scored in this period.</p>";
  const line = (name: string, pick: (step: (typeof steps)[number]) => number | null) => ({
    name,
    points: steps.map((step) => ({ ts_ms: Date.parse(step.ts), value: pick(step) })),
  });
  const thresholds =
    tau_fast === null || tau_persist === null
      ? []
      : [
          { name: "tau_fast", value: tau_fast },
          { name: "tau_persist", value: tau_persist },
        ];
  const percentiles = lineChart(
    {
      title: "D over all racks",
      description: `Median, 90th and 99th percentile and maximum of the racks' mean D in each step, with the thresholds. The maximum of the period is ${figure(Math.max(...steps.map((step) => step.d_max)))}.`,
    },
    span,
    [
      line("median", (step) => step.d_p50),
      line("90 %", (step) => step.d_p90),
      line("99 %", (step) => step.d_p99),
      line("maximum", (step) => step.d_max),
    ],
    { unit: "D", thresholds },
  );
  const above = lineChart(
    {
      title: "Racks at or above the thresholds",
      description: "Number of racks whose mean D in the step was at or above tau_fast and tau_persist.",
    },
    span,
    [line("≥ tau_fast", (step) => step.above_fast), line("≥ tau_persist", (step) => step.above_persist)],
    { unit: "racks" },
  );
  return (
    percentiles +
    (thresholds.length > 0 ? above : "") +
    table(
      "Racks by mean D over the period, highest first",
      [
        { head: "Rack", of: (rack) => rack.rack_id },
        { head: "Mean D", of: (rack) => figure(rack.d_mean), number: true },
        { head: "Highest D", of: (rack) => figure(rack.d_max), number: true },
        {
          head: "Steps at or above tau_fast",
          of: (rack) => (rack.above_fast_share === null ? "–" : percent(rack.above_fast_share)),
          number: true,
        },
      ],
      worst,
    )
  );
}

function energy({ energy: e }: Report, span: TimeSpan): string {
  if (e.steps.length === 0) return "<p>There is no telemetry of this period.</p>";
  const per_prompt = {
    name: "Wh per prompt",
    points: e.steps.map((step) => ({ ts_ms: Date.parse(step.ts), value: step.wh_per_prompt })),
  };
  return (
    lineChart(
      {
        title: "Energy per prompt",
        description: `Rack energy per prompt in each step; over the period ${known(e.wh_per_prompt, "Wh")}, the configured baseline is ${e.baseline_wh_per_prompt} Wh.`,
      },
      span,
      [per_prompt],
      { unit: "Wh", thresholds: [{ name: "baseline", value: e.baseline_wh_per_prompt }], from_zero: false },
    ) +
    stackChart(
      {
        title: "Energy of the racks per step",
        description: `Energy of all racks in each step, ${figure(e.energy_kwh)} kWh in sum. The first and the last step may be incomplete.`,
      },
      span,
      {
        names: ["energy"],
        stacks: e.steps.map((step) => ({ ts_ms: Date.parse(step.ts), values: [step.energy_kwh] })),
        unit: "kWh",
      },
    )
  );
}

const MMS_RACKS = 20;

function mms({ mms: m }: Report): string {
  const rows = m.rows.map(({ row, persistent_s, share }) => ({
    label: `Row ${row}`,
    value: persistent_s,
    text: `${duration(persistent_s)} of rack time, ${percent(share)}`,
  }));
  return (
    `<p>${m.changes} changes of state (${escapeHtml(counts(m.by_state))}).</p>` +
    barChart(
      {
        title: "Persistent time by row",
        description: "Sum of the time that the row's racks were persistent, and its share of their time.",
      },
      rows,
    ) +
    table(
      m.racks.length > MMS_RACKS
        ? `Racks by persistent time, the first ${MMS_RACKS} of ${m.racks.length}`
        : "Racks by persistent time",
      [
        { head: "Rack", of: (rack) => rack.rack_id },
        { head: "Persistent for", of: (rack) => duration(rack.persistent_s), number: true },
        { head: "Share of the period", of: (rack) => percent(rack.share), number: true },
        { head: "Times", of: (rack) => String(rack.times), number: true },
      ],
      m.racks.slice(0, MMS_RACKS),
    )
  );
}

function incidents({ incidents: i }: Report, local: LocalTime): string {
  if (i === null) return "<p>No incidents are kept on this site.</p>";
  return (
    `<p>${i.total} in the period, ${i.open} of them still open. Causes: ${escapeHtml(counts(i.by_cause))}.</p>` +
    table(
      i.list.length < i.total ? `The newest ${i.list.length} of ${i.total} incidents` : "Incidents",
      [
        { head: "Opened", of: (incident) => local.full(incident.opened_at) },
        { head: "Closed", of: ({ closed_at }) => (closed_at === null ? "–" : local.full(closed_at)) },
        { head: "State", of: (incident) => incident.state },
        { head: "About", of: (incident) => incident.scope },
        {
          head: "Cause",
          of: ({ cause, confidence }) =>
            `${cause ?? "unknown"}${confidence === null ? "" : ` (${percent(confidence)})`}`,
        },
        { head: "Summary", of: (incident) => incident.summary },
      ],
      i.list,
    )
  );
}

const ROLLBACKS = 20;
const SOURCES = ["guardrail", "optimizer", "operator"];

function actions({ actions: a }: Report, span: TimeSpan, local: LocalTime): string {
  const stacks = a.steps.map(({ ts, by_source }) => ({
    ts_ms: Date.parse(ts),
    values: SOURCES.map((source) => by_source[source] ?? 0),
  }));
  const marks = a.rollbacks.map(({ ts, rack_id, target }) => ({
    ts_ms: Date.parse(ts),
    name: `${local.full(ts)}: ${target} of ${rack_id ?? "the site"} taken back`,
  }));
  return (
    stackChart(
      {
        title: "Actions per step, by who decided",
        description: `${a.in_period} actions: ${counts(a.by_source)}. A red dot marks each of ${a.rollbacks.length} changes that were taken back.`,
      },
      span,
      { names: SOURCES, stacks, unit: "actions", marks },
    ) +
    facts([
      [
        "Counted",
        `${a.in_period}${a.truncated ? " (only the newest were read)" : ""} of ${a.total} on record`,
      ],
      ["By source", counts(a.by_source)],
      ["By kind", counts(a.by_kind)],
      ["By target", counts(a.by_target)],
      ["By outcome", counts(a.by_outcome)],
      [
        "Judged",
        `${a.judged.actions} actions: predicted ${figure(a.judged.predicted_kw)} kW, realized ${figure(a.judged.realized_kw)} kW`,
      ],
    ]) +
    table(
      a.rollbacks.length > ROLLBACKS
        ? `Changes that were taken back, the newest ${ROLLBACKS} of ${a.rollbacks.length}`
        : "Changes that were taken back",
      [
        { head: "When", of: (rollback) => local.full(rollback.ts) },
        { head: "Rack", of: (rollback) => rollback.rack_id ?? "site" },
        { head: "Target", of: (rollback) => rollback.target },
        { head: "Because", of: (rollback) => rollback.reason },
      ],
      a.rollbacks.slice(0, ROLLBACKS),
    )
  );
}

function savings({ savings: s }: Report): string {
  const { measured: m } = s;
  const measured = m
    ? `<p>Measured against a baseline: ${figure(m.saving_kwh)} kWh, ${figure(m.saving_pct)} % (${percent(m.confidence)} interval ${figure(m.low_pct)} … ${figure(m.high_pct)} %). ${escapeHtml(m.method)}</p>`
    : "<p>No saving was measured against a baseline over this period; what follows is each action's own estimate.</p>";
  if (s.attribution.length === 0) return `${measured}<p>No action of the period was about a saving.</p>`;
  const pairs = s.attribution.map((group) => ({
    label: `${group.kind}: ${group.target}${group.judged === 0 ? " (unjudged)" : ""}`,
    // Side by side only over the same actions; where none was judged there is the prediction alone.
    predicted: group.judged === 0 ? group.predicted_saving_kw : group.judged_predicted_saving_kw,
    realized: group.realized_saving_kw,
  }));
  return (
    measured +
    pairedBars(
      {
        title: "Saving by kind of action and target",
        description: `Of the actions that were judged: sums of what they were predicted to save and of what was found (${figure(s.realized_saving_kw)} kW). Of kinds without any judged action the prediction alone.`,
      },
      pairs,
      "kW",
    ) +
    table(
      "Attribution",
      [
        { head: "Kind", of: (group) => group.kind },
        { head: "Target", of: (group) => group.target },
        { head: "Actions", of: (group) => String(group.actions), number: true },
        { head: "Judged", of: (group) => String(group.judged), number: true },
        { head: "Predicted kW", of: (group) => figure(group.predicted_saving_kw), number: true },
        { head: "of the judged", of: (group) => figure(group.judged_predicted_saving_kw), number: true },
        { head: "Realized kW", of: (group) => figure(group.realized_saving_kw), number: true },
      ],
      s.attribution,
    )
  );
}

function timeline({ timeline: t }: Report, local: LocalTime): string {
  const caption =
    t.entries.length < t.total
      ? `The ${t.entries.length} most important of ${t.total} entries, the most important first`
      : "Everything that happened, the most important first";
  return table(
    caption,
    [
      { head: "When", of: (entry) => local.full(entry.ts) },
      { head: "Rack", of: (entry) => entry.rack_id ?? "site" },
      { head: "What", of: (entry) => entry.text },
    ],
    t.entries,
  );
}
