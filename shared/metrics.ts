import { Counter, Gauge, Histogram, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string>>;
/** What is read at a scrape: one value, or one per set of labels. null is left out of the page. */
type Reading = number | null | Iterable<readonly [labels: Labels, value: number | null]>;
/** Takes one duration in seconds. */
export type Stopwatch = (duration_s: number, labels?: Labels) => void;

/** A Prometheus page whose values are read when it is asked for: nothing is computed while nobody looks. */
export interface MetricsPage {
  /** What may rise and fall. */
  gauge(name: string, help: string, read: () => Reading, labels?: readonly string[]): void;
  /** What only rises while the program runs; its name ends in `_total`. */
  counter(name: string, help: string, read: () => Reading, labels?: readonly string[]): void;
  /** A histogram of how long something takes; its name ends in `_seconds`. */
  durations(name: string, help: string, labels?: readonly string[]): Stopwatch;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  readonly content_type: string;
}

/** From a fast computation to a request that somebody waits for. */
const DURATION_BUCKETS_S = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

export function metricsPage(): MetricsPage {
  const registry = new Registry();
  const settings = (name: string, help: string, labels: readonly string[] = []) => ({
    ...{ name, help, registers: [registry], labelNames: [...labels] },
  });
  return {
    gauge(name, help, read, labels) {
      const gauge: Gauge = new Gauge({
        ...settings(name, help, labels),
        collect() {
          // A gauge without labels is 0 after its reset, which is not what nothing to read means.
          gauge.reset();
          if (!labels) gauge.remove();
          for (const [given, value] of readings(read())) if (value !== null) gauge.set(given, value);
        },
      });
    },
    counter(name, help, read, labels) {
      const counter: Counter = new Counter({
        ...settings(name, help, labels),
        collect() {
          counter.reset();
          for (const [given, value] of readings(read())) if (value !== null) counter.inc(given, value);
        },
      });
    },
    durations(name, help, labels) {
      const histogram = new Histogram({ ...settings(name, help, labels), buckets: DURATION_BUCKETS_S });
      return (duration_s, given = {}) => histogram.observe(given, duration_s);
    },
    text: () => registry.metrics(),
    content_type: registry.contentType,
  };
}

function readings(reading: Reading): Iterable<readonly [Labels, number | null]> {
  return typeof reading === "number" || reading === null ? [[{}, reading]] : reading;
}
