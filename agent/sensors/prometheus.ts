import {
  type PrometheusPoint,
  type PrometheusSensor,
  prometheusProfile,
} from "../../shared/contracts/devices/prometheus.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { type ExpositionSample, parseExposition } from "../devices/exposition.ts";
import { bucketQuantile, histogramWindow } from "../devices/histogram.ts";
import { basicAuthorization, type HttpClient, httpClient, noteTrust, unexpected } from "../devices/http.ts";
import { revealSecret } from "../devices/secret.ts";
import type { PointReading, SensorDevice } from "./device.ts";

/** What one address answered; null: nothing of use. */
interface Page {
  url: string;
  samples: readonly ExpositionSample[] | null;
  /** The server's own clock when it answered. */
  server_ms: number | undefined;
}

type PointReader = (now_ms: number, pages: readonly Page[]) => PointReading;

/** The points of the configured profiles, then those of the configuration. */
export function prometheusPoints({ profiles, points }: PrometheusSensor): PrometheusPoint[] {
  return [...profiles.flatMap(prometheusProfile), ...points];
}

/** Reads every page once per poll, side by side. One that fails is silent, unless all do. */
export function prometheusSensor(
  config: PrometheusSensor,
  points: readonly PrometheusPoint[],
  clock: Clock,
  log: Log,
): SensorDevice {
  const wanted = new Set(points.map(sampleName));
  noteTrust(config, config.urls, config.auth !== undefined, log);
  const failing = new Set<string>();
  let client: HttpClient | null = null;
  let readers: PointReader[] = [];

  const shut = async () => {
    const old = client;
    client = null;
    await old?.close();
  };
  const fetch = async (url: string, signal: AbortSignal): Promise<Page> => {
    if (!client) throw new Error("not open");
    const headers = { accept: "text/plain;version=0.0.4", ...authorization(config.auth) };
    const answer = await client.request({ url, headers }, signal);
    if (answer.status !== 200) throw unexpected(url, answer.status, "status 200");
    const samples = parseExposition(answer.body, wanted);
    if (!samples) throw unexpected(url, answer.body, "metrics in Prometheus' text format");
    const server_ms = Date.parse(answer.header("date") ?? "");
    return { url, samples, server_ms: Number.isNaN(server_ms) ? undefined : server_ms };
  };
  const note = (url: string, error?: unknown) => {
    if (error === undefined) {
      if (failing.delete(url)) log.info({ event: "page_answers_again", device: config.name, url });
    } else if (!failing.has(url)) {
      failing.add(url);
      log.warn({ event: "page_failed", device: config.name, url, reason: String(error) });
    }
  };

  return {
    name: config.name,
    async open() {
      await shut();
      client = httpClient(config);
      readers = points.map((point) => (point.quantile === undefined ? seriesReader : quantileReader)(point));
    },
    async read(signal) {
      const outcomes = await Promise.allSettled(config.urls.map((url) => fetch(url, signal)));
      if (signal.aborted) throw signal.reason;
      const errors = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
      if (errors.length === outcomes.length) throw errors[0];
      const pages = outcomes.map((outcome, i): Page => {
        const url = config.urls[i]!;
        note(url, outcome.status === "rejected" ? outcome.reason : undefined);
        return outcome.status === "fulfilled" ? outcome.value : { url, samples: null, server_ms: undefined };
      });
      return readers.map((read) => read(clock.now(), pages));
    },
    close: shut,
  };
}

function sampleName({ metric, quantile }: PrometheusPoint): string {
  return quantile === undefined ? metric : `${metric.replace(/_bucket$/, "")}_bucket`;
}

function authorization(auth: PrometheusSensor["auth"]): Record<string, string> {
  if (!auth) return {};
  if ("bearer" in auth) return { authorization: `Bearer ${revealSecret(auth.bearer)}` };
  return { authorization: basicAuthorization(auth.username, revealSecret(auth.password)) };
}

/** A series that a page no longer has may come back for this long; then it is taken as gone for good. */
const SERIES_GONE_MS = 60_000;

/**
 * One number per series, always at the same place: rates are made place by place. When a series is gone for good all
 * start anew, which leaves one poll without numbers.
 */
function seriesReader(point: PrometheusPoint): PointReader {
  const matches = matcher(point);
  let seen = new Map<string, number>();
  return (now_ms, pages) => {
    const values = new Map<string, number>();
    let age_ms = 0;
    let unknown_pages = 0;
    for (const { url, samples, server_ms } of pages) {
      const known_before = [...seen.keys()].filter((key) => key.startsWith(`${url}\n`));
      for (const sample of samples?.filter(matches) ?? []) {
        const key = seriesKey(url, sample);
        values.set(key, sample.value);
        seen.set(key, now_ms);
        if (sample.at_ms !== undefined && server_ms !== undefined) {
          age_ms = Math.max(age_ms, server_ms - sample.at_ms);
        }
      }
      // A page that is silent has not lost its series.
      if (samples === null) for (const key of known_before) seen.set(key, now_ms);
      if (samples === null && known_before.length === 0) unknown_pages++;
    }
    if ([...seen.values()].some((at_ms) => now_ms - at_ms > SERIES_GONE_MS)) seen = new Map();
    const numbers = [...seen.keys()].map((key) => finite(values.get(key)));
    return { values: [...numbers, ...Array.from({ length: unknown_pages }, () => null)], age_ms };
  };
}

/** One number: the quantile of what all series counted within the window. */
function quantileReader(point: PrometheusPoint): PointReader {
  const matches = matcher(point);
  const inWindow = histogramWindow(point.window_s * 1000);
  return (now_ms, pages) => {
    const series = new Map<string, Map<number, number>>();
    for (const { url, samples } of pages) {
      for (const sample of samples?.filter(matches) ?? []) {
        const bound = boundOf(sample.labels.get("le"));
        if (bound === undefined || !Number.isFinite(sample.value)) continue;
        const key = seriesKey(url, sample);
        const buckets = series.get(key) ?? new Map<number, number>();
        series.set(key, buckets.set(bound, sample.value));
      }
    }
    const value = bucketQuantile(point.quantile ?? Number.NaN, inWindow(now_ms, series));
    return { values: [finite(value)] };
  };
}

/** A label that a series does not have counts as empty, as in Prometheus. */
function matcher(point: PrometheusPoint): (sample: ExpositionSample) => boolean {
  const name = sampleName(point);
  const tests = Object.entries(point.labels).map(([label, wanted]) => {
    const whole = typeof wanted === "string" ? undefined : new RegExp(`^(?:${wanted.regex})$`, "s");
    return (sample: ExpositionSample) => {
      const text = sample.labels.get(label) ?? "";
      return whole ? whole.test(text) : text === wanted;
    };
  });
  return (sample) => sample.name === name && tests.every((test) => test(sample));
}

function seriesKey(url: string, { labels }: ExpositionSample): string {
  const pairs = [...labels].filter(([name]) => name !== "le").sort(([a], [b]) => (a < b ? -1 : 1));
  return `${url}\n${JSON.stringify(pairs)}`;
}

function boundOf(le: string | undefined): number | undefined {
  if (le === undefined) return undefined;
  const bound = /^\+?inf$/i.test(le) ? Number.POSITIVE_INFINITY : Number(le);
  return le === "" || Number.isNaN(bound) ? undefined : bound;
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
