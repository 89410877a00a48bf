import { escapeHtml, figure } from "./html.ts";

/** Pictures of the reports as inline SVG. Colours are classes, so that the page's style themes them. */
export interface Caption {
  title: string;
  /** What the picture shows, for those who do not see it. */
  description: string;
}

const WIDTH = 820;

/** A figure with its caption; title and description are the picture's accessible name. */
function picture({ title, description }: Caption, height: number, body: string): string {
  return (
    `<figure><figcaption>${escapeHtml(title)}</figcaption>` +
    `<svg class="wide" viewBox="0 0 ${WIDTH} ${height}" role="img">` +
    `<title>${escapeHtml(title)}</title><desc>${escapeHtml(description)}</desc>${body}</svg></figure>`
  );
}

const px = (value: number) => value.toFixed(1);

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end" = "start"): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escapeHtml(content)}</text>`;
}

export interface Bar {
  label: string;
  value: number;
  text: string;
}

const BAR = { line: 24, left: 96, wide: 520 };

/** One horizontal bar per item, longest = full width. */
export function barChart(caption: Caption, items: readonly Bar[]): string {
  const { line, left, wide } = BAR;
  const longest = Math.max(...items.map((item) => item.value), Number.MIN_VALUE);
  const rows = items.map(({ label, value, text: words }, i) => {
    const length = (Math.max(0, value) / longest) * wide;
    return (
      text(0, i * line + 16, label) +
      `<rect class="nominal" x="${left}" y="${i * line + 3}" width="${px(length)}" height="${line - 7}"/>` +
      text(left + 6 + length, i * line + 16, words)
    );
  });
  return picture(caption, items.length * line, rows.join(""));
}

export interface BarPair {
  label: string;
  predicted: number;
  realized: number;
}

const PAIR = { line: 38, left: 250, wide: 440 };

/** Predicted above realized, to the right of zero if positive and to the left if not. */
export function pairedBars(caption: Caption, pairs: readonly BarPair[], unit: string): string {
  const { line, left, wide } = PAIR;
  const values = pairs.flatMap(({ predicted, realized }) => [predicted, realized]);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const scale = wide / Math.max(high - low, Number.MIN_VALUE);
  const zero = left - low * scale;
  const bar = (value: number, y: number, css: string, what: string) => {
    const at = value < 0 ? zero + value * scale : zero;
    const words = `${figure(value)} ${unit} ${what}`;
    return (
      `<rect class="${css}" x="${px(at)}" y="${y}" width="${px(Math.abs(value) * scale)}" height="13"/>` +
      text(Math.max(zero, zero + value * scale) + 6, y + 11, words)
    );
  };
  const rows = pairs.map(({ label, predicted, realized }, i) => {
    const y = i * line + 4;
    return (
      text(0, y + 18, label) +
      bar(predicted, y, "all", "predicted") +
      bar(realized, y + 15, "nominal", "realized")
    );
  });
  const height = pairs.length * line;
  const axis = `<line class="axis" x1="${px(zero)}" x2="${px(zero)}" y1="0" y2="${height}"/>`;
  return picture(caption, height, axis + rows.join(""));
}

export interface MapCell {
  label: string;
  row: string;
  /** 1 … n within the row. */
  position: number;
  value: number | null;
  /** −1 … 1: blue below zero, orange from zero on. */
  tone: number;
  persistent: boolean;
}

const MAP = { left: 30, top: 20, tall: 30, wide_max: 64 };
/** The figure must be readable on the strongest colour; on a strong orange it is dark in the dark page too. */
const STRONGEST = 0.7;
const STRONG = 0.5;
/** Narrower cells have no room for their figure. */
const TEXT_WIDE_MIN = 34;

/** The site from above: one line of cells per row of racks. */
export function siteMap(caption: Caption, cells: readonly MapCell[], unit: string): string {
  const rows = [...new Set(cells.map((cell) => cell.row))];
  const columns = Math.max(...cells.map((cell) => cell.position), 1);
  const wide = Math.min(MAP.wide_max, (WIDTH - MAP.left) / columns);
  const tall = Math.min(MAP.tall, wide);
  const gap = Math.min(1, wide / 10);
  const with_text = wide >= TEXT_WIDE_MIN;
  const stride = Math.ceil(columns / 24);
  const head = Array.from({ length: columns }, (_, i) =>
    i % stride === 0 ? text(MAP.left + (i + 0.5) * wide, 14, String(i + 1), "middle") : "",
  );
  const sides = rows.map((row, i) => text(MAP.left - 8, MAP.top + (i + 0.5) * tall + 4, row, "end"));
  const body = cells.map(({ label, row, position, value, tone, persistent }) => {
    const x = MAP.left + (position - 1) * wide;
    const y = MAP.top + rows.indexOf(row) * tall;
    const box = `x="${px(x + gap)}" y="${px(y + gap)}" width="${px(wide - 2 * gap)}" height="${px(tall - 2 * gap)}"`;
    const words = value === null ? "unknown" : `${figure(value)} ${unit}`;
    const hint = `<title>${escapeHtml(`${label}: ${words}${persistent ? ", persistent" : ""}`)}</title>`;
    const strength = Math.min(1, Math.abs(tone));
    const css =
      value === null
        ? 'class="blank"'
        : `class="${tone >= 0 ? "above" : "below"}" fill-opacity="${(STRONGEST * strength).toFixed(2)}"`;
    const number = text(x + wide / 2, y + tall / 2 + 4, value === null ? "–" : figure(value), "middle");
    return (
      `<rect ${css} ${box}>${hint}</rect>` +
      (persistent ? `<rect class="persistent" ${box}/>` : "") +
      (with_text ? (tone > STRONG ? `<g class="on-strong">${number}</g>` : number) : "")
    );
  });
  return picture(caption, MAP.top + rows.length * tall + 4, head.join("") + sides.join("") + body.join(""));
}

export interface TimeSpan {
  from_ms: number;
  to_ms: number;
  step_ms: number;
  /** How instants are written on the axis. */
  label: (ts_ms: number) => string;
}

export interface Series {
  name: string;
  points: readonly { ts_ms: number; value: number | null }[];
}

interface Threshold {
  name: string;
  value: number;
}

const PLOT = { left: 52, right: 12, top: 24, bottom: 24, height: 210 };

/** Where an instant or a value lies on a plot over time, and what frames it. */
function plotFrame(span: TimeSpan, low: number, high: number, unit: string) {
  const { left, right, top, bottom, height } = PLOT;
  const floor = height - bottom;
  const x = (ts_ms: number) =>
    left + ((ts_ms - span.from_ms) / (span.to_ms - span.from_ms)) * (WIDTH - left - right);
  const y = (value: number) => floor - ((value - low) / (high - low)) * (floor - top);
  const levels = valueTicks(low, high).map(
    (value) =>
      `<line class="grid-line" x1="${left}" x2="${WIDTH - right}" y1="${px(y(value))}" y2="${px(y(value))}"/>` +
      text(left - 6, y(value) + 4, tickLabel(value), "end"),
  );
  const instants = timeTicks(span).map((ts_ms) => text(x(ts_ms), height - 7, span.label(ts_ms), "middle"));
  return { x, y, floor, frame: levels.join("") + text(0, 12, unit) + instants.join("") };
}

interface LineOptions {
  unit: string;
  thresholds?: readonly Threshold[];
  /** Where small differences matter more than the whole, the axis need not begin at zero. */
  from_zero?: boolean;
}

/** Lines over time; a gap in the data is a gap in the line. */
export function lineChart(
  caption: Caption,
  span: TimeSpan,
  series: readonly Series[],
  { unit, thresholds = [], from_zero = true }: LineOptions,
): string {
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ value }) => (value === null ? [] : [value])),
  );
  const shown = [...values, ...thresholds.map((threshold) => threshold.value)];
  const [low, high] = from_zero ? rangeFromZero(shown) : closeRange(shown);
  const { x, y, frame } = plotFrame(span, low, high, unit);
  const lines = series.map(({ points }, i) => {
    const parts = unbroken(points, span).map((part) =>
      // A single point twice: a line of no length is drawn as a dot.
      (part.length > 1 ? part : [part[0]!, part[0]!])
        .map(({ ts_ms, value }) => `${px(x(ts_ms))},${px(y(value))}`)
        .join(" "),
    );
    return parts
      .map((part) => `<polyline class="line s${i}" stroke-linecap="round" points="${part}"/>`)
      .join("");
  });
  const highest = Math.max(...thresholds.map((threshold) => threshold.value));
  const marks = thresholds.map(({ name, value }) => {
    // The highest has its name above the line, the others below: thresholds are often close together.
    const label = text(
      WIDTH - PLOT.right,
      y(value) + (value === highest ? -4 : 13),
      `${name} ${figure(value)}`,
      "end",
    );
    return `<line class="threshold" x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${px(y(value))}" y2="${px(y(value))}"/><g class="halo">${label}</g>`;
  });
  const key =
    series.length > 1
      ? legend(
          series.map(({ name }) => name),
          "line",
        )
      : "";
  return picture(caption, PLOT.height, frame + lines.join("") + marks.join("") + key);
}

export interface Stack {
  ts_ms: number;
  /** One value per name. */
  values: readonly number[];
}

/** Stacked columns over time; `marks` are single instants above them. */
export function stackChart(
  caption: Caption,
  span: TimeSpan,
  {
    names,
    stacks,
    unit,
    marks = [],
  }: {
    names: readonly string[];
    stacks: readonly Stack[];
    unit: string;
    marks?: readonly { ts_ms: number; name: string }[];
  },
): string {
  const [, high] = rangeFromZero(stacks.map(({ values }) => values.reduce((sum, value) => sum + value, 0)));
  const { x, y, floor, frame } = plotFrame(span, 0, high, unit);
  const columns = stacks.flatMap(({ ts_ms, values }) => {
    const left = x(Math.max(span.from_ms, ts_ms));
    const wide = Math.max(0.5, x(Math.min(span.to_ms, ts_ms + span.step_ms)) - left - 0.3);
    let base = 0;
    return values.map((value, i) => {
      const rect = `<rect class="fill s${i}" x="${px(left)}" y="${px(y(base + value))}" width="${px(wide)}" height="${px(floor - y(value))}"/>`;
      base += value;
      return value > 0 ? rect : "";
    });
  });
  const dots = marks.map(
    ({ ts_ms, name }) =>
      `<circle class="mark" cx="${px(x(ts_ms))}" cy="${PLOT.top}" r="4"><title>${escapeHtml(name)}</title></circle>`,
  );
  const key = names.length > 1 ? legend(names, "fill") : "";
  return picture(caption, PLOT.height, frame + columns.join("") + dots.join("") + key);
}

const KEY = { left: 100, wide: 130 };

function legend(names: readonly string[], kind: "line" | "fill"): string {
  return names
    .map((name, i) => {
      const x = KEY.left + i * KEY.wide;
      const sign =
        kind === "line"
          ? `<line class="line s${i}" x1="${x}" x2="${x + 22}" y1="8" y2="8"/>`
          : `<rect class="fill s${i}" x="${x + 8}" y="3" width="12" height="10"/>`;
      return sign + text(x + 27, 12, name);
    })
    .join("");
}

/** The parts of a line between which nothing is missing. */
function unbroken(points: Series["points"], { step_ms }: TimeSpan): { ts_ms: number; value: number }[][] {
  const parts: { ts_ms: number; value: number }[][] = [];
  let last_ms = Number.NEGATIVE_INFINITY;
  for (const { ts_ms, value } of points) {
    if (value === null) continue;
    if (ts_ms - last_ms > 1.5 * step_ms) parts.push([]);
    parts.at(-1)!.push({ ts_ms, value });
    last_ms = ts_ms;
  }
  return parts;
}

/** From zero, with some air above. */
function rangeFromZero(values: readonly number[]): [low: number, high: number] {
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  return [0, high > 0 ? high * 1.08 : 1];
}

/** What there is, with some air above and below. */
function closeRange(values: readonly number[]): [low: number, high: number] {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (low > high) return [0, 1];
  const air = 0.15 * (high - low) || 0.05 * Math.abs(high) || 1;
  return [low - air, high + air];
}

const TICKS = 5;

/** Round values (1, 2 or 5 times a power of ten apart) within the range. */
function valueTicks(low: number, high: number): number[] {
  const raw = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw)! * power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function tickLabel(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 3 });
}

const MINUTE_MS = 60_000;
const TICK_MINUTES = [1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 5760];
const INSTANTS_MAX = 8;
/** An instant nearer to the end has no room for its words. */
const EDGE_SHARE = 0.045;

function timeTicks({ from_ms, to_ms }: TimeSpan): number[] {
  const length_ms = to_ms - from_ms;
  const minutes = TICK_MINUTES.find((step) => length_ms / (step * MINUTE_MS) <= INSTANTS_MAX);
  const step_ms = (minutes ?? TICK_MINUTES.at(-1)!) * MINUTE_MS;
  const first = Math.ceil(from_ms / step_ms);
  const count = Math.floor(to_ms / step_ms) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step_ms).filter(
    (ts_ms) => to_ms - ts_ms >= EDGE_SHARE * length_ms,
  );
}
