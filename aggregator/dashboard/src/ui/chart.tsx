import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { painted, zone } from "../format/settings.ts";
import { clock, dateTime } from "../format/time.ts";

interface Line {
  label: string;
  values: readonly (number | null)[];
  /** A colour of tokens.css. */
  colour?: string;
}

interface Limit {
  label: string;
  value: number;
  tone: "bad" | "warn";
}

interface ChartProps {
  title: string;
  ts_ms: readonly number[];
  lines: readonly Line[];
  /** Lines that should not be crossed. */
  limits?: readonly Limit[];
  /** Where the model expects it, drawn behind. */
  band?: readonly [low: number, high: number] | null;
  /** When something was done. */
  marks?: readonly number[];
  /** How a value reads, with its unit. */
  format: (value: number) => string;
  /** The least that the axis shows. */
  floor?: number;
}

const HEIGHT_PX = 150;
const DAY_MS = 86_400_000;

/** Resolves a colour of tokens.css, whatever the theme, for a canvas. */
function colours(element: HTMLElement): (token: string) => string {
  const probe = document.createElement("span");
  element.append(probe);
  const known = new Map<string, string>();
  queueMicrotask(() => probe.remove());
  return (token) => {
    let colour = known.get(token);
    if (colour === undefined) {
      probe.style.color = `var(--${token})`;
      colour = getComputedStyle(probe).color;
      known.set(token, colour);
    }
    return colour;
  };
}

/** A course over time with what it is held against. The pointer reads all charts of a page at the same instant. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, ts_ms, lines, limits = [], format } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const paint = painted.value;
  const shown_zone = zone.value;
  const shape = lines.map(({ label }) => label).join();

  // Colours and the zone are read from the page, so that they are reasons to draw anew.
  useEffect(() => {
    const element = place.current!;
    const made = new uPlot(options(element, latest), data(latest.current), element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [paint, shown_zone, shape]);

  useEffect(() => plot.current?.setData(data(latest.current)));

  const last = lines[0]?.values.findLast((value) => value !== null) ?? null;
  const over = last === null ? undefined : limits.findLast(({ value }) => last >= value);
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class={`chart-value ${over ? `tone-${over.tone}` : ""}`}>
          {last === null ? "–" : format(last)}
        </span>
        <span class="chart-notes">
          {limits.map(({ label, value, tone }) => (
            <span key={label} class={`chart-limit tone-${tone}`}>
              {label} {format(value)}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={summary(title, lines, limits, format, ts_ms)} />
    </figure>
  );
}

function summary(
  title: string,
  lines: readonly Line[],
  limits: readonly Limit[],
  format: ChartProps["format"],
  ts_ms: readonly number[],
): string {
  const known = (lines[0]?.values ?? []).filter((value) => value !== null);
  if (known.length === 0 || ts_ms.length === 0) return `${title}: no data`;
  const held = limits.map(({ label, value }) => `, ${label} ${format(value)}`).join("");
  const range = `from ${format(Math.min(...known))} to ${format(Math.max(...known))}`;
  return `${title}: now ${format(known.at(-1)!)}, ${range} since ${clock(ts_ms[0]!)}${held}`;
}

function data({ ts_ms, lines }: ChartProps): uPlot.AlignedData {
  return [ts_ms as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

function options(element: HTMLElement, latest: { current: ChartProps }): uPlot.Options {
  const colour = colours(element);
  const axis = { stroke: colour("quiet"), font: "11px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: colour("line"), width: 1 };
  const shades = {
    bad: colour("bad"),
    warn: colour("warn"),
    band: colour("info-soft"),
    mark: colour("strong-line"),
  };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    ms: 1,
    legend: { show: false },
    padding: [8, 6, 0, 0],
    cursor: { sync: { key: "skadi" }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: (_plot, low, high) => range(latest.current, low, high) } },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 24, values: (_plot, splits) => times(splits) },
      {
        ...axis,
        grid,
        size: 48,
        space: 34,
        values: (_plot, splits) => splits.map((value) => axisText(latest.current.format(value))),
      },
    ],
    series: [
      {},
      ...latest.current.lines.map(({ label, colour: token = "accent" }) => ({
        label,
        stroke: colour(token),
        width: 1.75,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      drawClear: [(plot) => drawBand(plot, latest.current, shades.band)],
      draw: [
        (plot) => {
          drawMarks(plot, latest.current, shades.mark);
          drawLimits(plot, latest.current, shades);
        },
      ],
      setCursor: [(plot) => showReading(plot, element, latest.current)],
    },
  };
}

/** Everything that is known, its limits and its band, with a little air. */
function range(
  { limits = [], band, floor }: ChartProps,
  low: number | null,
  high: number | null,
): [number, number] {
  const far = [...limits.map(({ value }) => value), ...(band ?? [])];
  const from = Math.min(low ?? Number.POSITIVE_INFINITY, ...far, floor ?? Number.POSITIVE_INFINITY);
  const to = Math.max(high ?? Number.NEGATIVE_INFINITY, ...far);
  if (!Number.isFinite(from) || !Number.isFinite(to)) return [0, 1];
  const air = Math.max((to - from) * 0.06, 1e-3);
  return [floor !== undefined && from <= floor ? floor : from - air, to + air];
}

/** Without the unit, which the value above has, and without decimals that say nothing. */
const axisText = (text: string) => text.split("\u202f")[0]!.replace(/\.0+$/, "");

function times(splits: readonly number[]): string[] {
  const long = splits.length > 1 && splits.at(-1)! - splits[0]! > DAY_MS;
  return splits.map((ts_ms) => (long ? dateTime(ts_ms) : clock(ts_ms).slice(0, 5)));
}

function drawBand(plot: uPlot, { band }: ChartProps, fill: string): void {
  if (!band) return;
  const { ctx, bbox } = plot;
  const top = plot.valToPos(band[1], "y", true);
  const bottom = plot.valToPos(band[0], "y", true);
  ctx.save();
  ctx.fillStyle = fill;
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.restore();
}

function drawLimits(plot: uPlot, { limits = [] }: ChartProps, shades: Record<"bad" | "warn", string>): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const { value, tone } of limits) {
    const y = Math.round(plot.valToPos(value, "y", true));
    ctx.strokeStyle = shades[tone];
    ctx.setLineDash(tone === "bad" ? [] : [5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

function drawMarks(plot: uPlot, { marks = [] }: ChartProps, fill: string): void {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales.x ?? {};
  const size = 5 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = fill;
  for (const ts_ms of marks) {
    if (min === undefined || max === undefined || ts_ms < min! || ts_ms > max!) continue;
    const x = plot.valToPos(ts_ms, "x", true);
    const y = bbox.top + bbox.height;
    ctx.beginPath();
    ctx.moveTo(x, y - size * 1.6);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x - size, y);
    ctx.fill();
  }
  ctx.restore();
}

/** While the pointer is on any of the charts, each says its own value at that instant. */
function showReading(plot: uPlot, element: HTMLElement, { ts_ms, lines, format }: ChartProps): void {
  const { idx } = plot.cursor;
  const value = idx === null || idx === undefined ? null : lines[0]?.values[idx];
  const reading = value === null || value === undefined ? "" : `${clock(ts_ms[idx!]!)}  ${format(value)}`;
  element.dataset.reading = reading;
}
