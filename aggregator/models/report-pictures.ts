/** Pictures of the training report as inline SVG. Colours are classes, so that the page's style themes them. */
import { escapeHtml, figure } from "../report/html.ts";

export interface Histogram {
  low: number;
  high: number;
  /** Share of all values per bin; values beyond the ends count in the outer bins. */
  shares: number[];
}

/**
 * Shares of the values in `bins` equal bins over [low, high]; NaN is left out.
 *
 * @param whole what the shares are of, where the values are a part of something larger
 */
export function histogram(
  values: Float64Array,
  [low, high]: readonly [low: number, high: number],
  bins: number,
  whole?: number,
): Histogram {
  const counts = new Array<number>(bins).fill(0);
  let counted = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    counts[Math.max(0, Math.min(bins - 1, bin))]!++;
    counted++;
  }
  return { low, high, shares: counts.map((n) => (counted > 0 ? n / (whole ?? counted) : 0)) };
}

const SMALL = { width: 260, height: 120, bottom: 18 };

/** One feature: all rows in the background, the nominal ones before them. */
export function featureHistogram(name: string, all: Histogram, nominal: Histogram): string {
  const { width, height, bottom } = SMALL;
  const top = Math.max(...all.shares, ...nominal.shares, Number.MIN_VALUE);
  const bars = (h: Histogram, name_of_class: string) =>
    h.shares
      .map((share, i) =>
        bar(i, h.shares.length, share / top, { width, height: height - bottom }, name_of_class),
      )
      .join("");
  return (
    `<figure><figcaption>${escapeHtml(name)}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="distribution of ${escapeHtml(name)}">` +
    `${bars(all, "all")}${bars(nominal, "nominal")}` +
    `<line class="axis" x1="0" x2="${width}" y1="${height - bottom}" y2="${height - bottom}"/>` +
    `<text x="0" y="${height - 4}">${figure(all.low)}</text>` +
    `<text x="${width}" y="${height - 4}" text-anchor="end">${figure(all.high)}</text></svg></figure>`
  );
}

function bar(
  i: number,
  bins: number,
  share: number,
  box: { width: number; height: number },
  name_of_class: string,
): string {
  const step = box.width / bins;
  const tall = share * box.height;
  const y = (box.height - tall).toFixed(1);
  return `<rect class="${name_of_class}" x="${(i * step).toFixed(1)}" y="${y}" width="${(step - 0.5).toFixed(1)}" height="${tall.toFixed(1)}"/>`;
}

const CELL = { width: 92, height: 30, left: 96, top: 26 };
/** Deviations beyond this many standard deviations have the strongest colour. */
const STRONGEST_Z = 3;

/** Cluster centres: colour in standard deviations from the nominal mean, figures in physical units. */
export function clusterHeatMap(
  features: readonly string[],
  clusters: readonly { label: string; z: readonly number[]; physical: readonly number[] }[],
): string {
  const width = CELL.left + features.length * CELL.width;
  const height = CELL.top + clusters.length * CELL.height;
  const head = features
    .map((name, j) => `<text x="${centre(j)}" y="16" text-anchor="middle">${escapeHtml(name)}</text>`)
    .join("");
  const body = clusters.map(({ label, z, physical }, i) => {
    const y = CELL.top + i * CELL.height;
    const cells = z.map((deviation, j) => {
      const strength = Math.min(1, Math.abs(deviation) / STRONGEST_Z).toFixed(2);
      const x = CELL.left + j * CELL.width;
      return (
        `<rect class="${deviation >= 0 ? "above" : "below"}" fill-opacity="${strength}" x="${x}" y="${y}" width="${CELL.width - 2}" height="${CELL.height - 2}">` +
        `<title>${escapeHtml(features[j] ?? "")}: ${deviation.toFixed(2)} standard deviations</title></rect>` +
        `<text x="${centre(j)}" y="${y + 19}" text-anchor="middle">${figure(physical[j]!)}</text>`
      );
    });
    return `<text x="0" y="${y + 19}">${escapeHtml(label)}</text>${cells.join("")}`;
  });
  return `<svg class="wide" viewBox="0 0 ${width} ${height}" role="img" aria-label="cluster centres">${head}${body.join("")}</svg>`;
}

function centre(j: number): number {
  return CELL.left + j * CELL.width + CELL.width / 2 - 1;
}

const PLOT = { width: 820, height: 230, bottom: 22, top: 34 };

/** D of nominal and other rows, with the thresholds as lines. */
export function scoreDistribution(
  nominal: Histogram,
  other: Histogram | null,
  thresholds: readonly { name: string; value: number }[],
): string {
  const { width, height, bottom, top } = PLOT;
  const plot = height - bottom - top;
  // The nominal rows set the scale; a bar of the others that is taller, such as the last one, is cut off.
  const highest = 1.15 * Math.max(...nominal.shares, Number.MIN_VALUE);
  const bars = (h: Histogram, name_of_class: string) =>
    h.shares
      .map((share, i) =>
        bar(i, h.shares.length, Math.min(1, share / highest), { width, height: plot }, name_of_class),
      )
      .join("");
  const x = (value: number) => ((value - nominal.low) / (nominal.high - nominal.low)) * width;
  const lines = thresholds.map(({ name, value }, i) => {
    const at = x(value).toFixed(1);
    // Labels on two lines: the thresholds are close together.
    return (
      `<line class="threshold" x1="${at}" x2="${at}" y1="${12 + i * 14}" y2="${height - bottom}"/>` +
      `<text x="${(x(value) + 4).toFixed(1)}" y="${12 + i * 14}">${escapeHtml(name)} ${value.toFixed(3)}</text>`
    );
  });
  const ticks = Array.from({ length: Math.floor(nominal.high) + 1 }, (_, d) => d).filter(
    (d) => d >= nominal.low,
  );
  const axis = ticks.map(
    (d) =>
      `<text x="${x(d).toFixed(1)}" y="${height - 5}" text-anchor="${d === 0 ? "start" : "middle"}">${d}</text>`,
  );
  return (
    `<svg class="wide" viewBox="0 0 ${width} ${height}" role="img" aria-label="distribution of D">` +
    `<g transform="translate(0 ${top})">${other ? bars(other, "all") : ""}${bars(nominal, "nominal")}</g>` +
    `<line class="axis" x1="0" x2="${width}" y1="${height - bottom}" y2="${height - bottom}"/>${lines.join("")}${axis.join("")}</svg>`
  );
}

const ROC = { size: 320, left: 46, bottom: 34, points_max: 400 };

/** Receiver operating characteristic of D, with the thresholds as points on it. */
export function rocPlot(
  points: readonly { false_alarm_rate: number; recall: number }[],
  marks: readonly { name: string; false_alarm_rate: number; recall: number }[],
): string {
  const { size, left, bottom, points_max } = ROC;
  const x = (rate: number) => left + rate * size;
  const y = (recall: number) => 8 + (1 - recall) * size;
  const stride = Math.max(1, Math.floor(points.length / points_max));
  const drawn = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
  const path = drawn.map((p) => `${x(p.false_alarm_rate).toFixed(1)},${y(p.recall).toFixed(1)}`).join(" ");
  const grid = [0, 0.5, 1].map(
    (share) =>
      `<text x="${x(share)}" y="${size + 24}" text-anchor="middle">${100 * share} %</text>` +
      `<text x="${left - 6}" y="${y(share) + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  const dots = marks.map(
    (mark, i) =>
      `<circle class="mark" cx="${x(mark.false_alarm_rate).toFixed(1)}" cy="${y(mark.recall).toFixed(1)}" r="5"/>` +
      `<text x="${(x(mark.false_alarm_rate) + 9).toFixed(1)}" y="${(y(mark.recall) + 14 + i * 14).toFixed(1)}">${escapeHtml(mark.name)}</text>`,
  );
  return (
    `<svg class="roc" viewBox="0 0 ${size + left + 20} ${size + bottom + 20}" role="img" aria-label="ROC curve">` +
    `<rect class="frame" x="${left}" y="8" width="${size}" height="${size}"/>` +
    `<line class="axis" stroke-dasharray="4" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>` +
    `<polyline class="curve" points="${path}"/>${dots.join("")}${grid.join("")}` +
    `<text x="${left + size / 2}" y="${size + 44}" text-anchor="middle">false-alarm rate (recall upwards)</text></svg>`
  );
}
