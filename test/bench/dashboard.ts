import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { type Aggregator, createAggregator } from "../../aggregator/aggregator.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { racksOf, rowNames } from "../../shared/contracts/rack.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { seededRandom } from "../../shared/random.ts";
import { systemClock } from "../../shared/time.ts";
import { smallModel } from "../support/models.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";
import type { BenchOptions } from "./options.ts";

const ASSETS = new URL("../../aggregator/dashboard/dist/assets/", import.meta.url).pathname;
const RACKS_PER_ROW = 12;
const PAINTS = 7;
const WATCH_MS = 60_000;
const FRAME_MS = 1_000 / 60;
const MEMORY_MINUTES = 10;
const MINUTE_MS = 60_000;
/** 72 racks that all report every second, and 2,004 that each report every five. */
const FLOORS = [
  { rows: 6, period_s: 1 },
  { rows: 167, period_s: 5 },
];

/** First paint, size, frames and memory of the dashboard on a site whose racks report as fast as they are shown. */
export async function benchDashboard(options: BenchOptions = {}): Promise<void> {
  const scripts = readdirSync(ASSETS).filter((name) => name.endsWith(".js.gz"));
  const bytes = scripts.reduce((sum, name) => sum + statSync(join(ASSETS, name)).size, 0);
  console.log(`dashboard: JavaScript ${(bytes / 1000).toFixed(1)} kB gzipped (limit 300)`);
  for (const floor of FLOORS) await onFloor(floor, options.minutes ?? MEMORY_MINUTES);
}

async function onFloor({ rows, period_s }: (typeof FLOORS)[number], minutes: number): Promise<void> {
  const data_dir = mkdtempSync(join(tmpdir(), "skadi-bench-"));
  writeModelFile(join(data_dir, "models", "bench.json"), smallModel());
  const layout = { rows: rowNames(rows), racks_per_row: RACKS_PER_ROW };
  const config = AggregatorConfig.parse({ data_dir, ...layout, broker: { port: 0 }, http: { port: 0 } });
  const aggregator = await createAggregator({
    config,
    clock: systemClock(),
    log: createLog("bench", "error"),
  });
  await aggregator.start();
  const rack_ids = racksOf(layout.rows, RACKS_PER_ROW);
  const stop = report(aggregator, rack_ids, period_s);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"],
  });
  const name = `dashboard, ${rack_ids.length.toLocaleString("en")} racks every ${period_s} s`;
  try {
    await new Promise((resolve) => setTimeout(resolve, period_s * 1_500));
    console.log(`${name}: ${await firstPaints(browser, aggregator.http_url)}`);
    const page = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
    // What this machine can do at this moment, however busy it is.
    console.log(`${name}: an empty page: ${await frames(browser, page)}`);
    await page.goto(aggregator.http_url);
    await page
      .locator(".cell")
      .nth(rack_ids.length - 1)
      .waitFor();
    console.log(`${name}: ${await frames(browser, page)}`);
    if (rows === FLOORS[0]!.rows) console.log(`${name}: ${await memory(page, minutes)}`);
  } finally {
    await browser.close();
    stop();
    await aggregator.stop();
    rmSync(data_dir, { recursive: true });
  }
}

/** Every rack reports once per period, a share of them every second; returns the function that ends it. */
function report({ http_url }: Aggregator, rack_ids: readonly string[], period_s: number): () => void {
  const random = seededRandom(7);
  const around = (value: number) => value * (0.97 + 0.06 * random.uniform());
  let turn = 0;
  const sample = (rack_id: string) => ({
    ...NOMINAL_SAMPLE,
    ...{ rack_id, ts: new Date().toISOString(), interval_s: period_s },
    inlet_c: around(NOMINAL_SAMPLE.inlet_c),
    pdu_kw: around(NOMINAL_SAMPLE.pdu_kw),
    latency_p95_ms: around(NOMINAL_SAMPLE.latency_p95_ms),
  });
  const timer = setInterval(() => {
    const samples = rack_ids.filter((_, i) => i % period_s === turn).map(sample);
    turn = (turn + 1) % period_s;
    const headers = { "content-type": "application/json" };
    void fetch(`${http_url}/telemetry`, { method: "POST", headers, body: JSON.stringify({ samples }) }).then(
      (response) => response.body?.cancel(),
    );
  }, 1_000);
  return () => clearInterval(timer);
}

/** First contentful paint, and when the floor was there, of pages that have nothing in their cache. */
async function firstPaints(browser: Browser, http_url: string): Promise<string> {
  const paints: number[] = [];
  const floors: number[] = [];
  for (let i = 0; i < PAINTS; i++) {
    const page = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
    await page.goto(http_url);
    await page.locator(".cell").first().waitFor();
    floors.push(await page.evaluate<number>("performance.now()"));
    paints.push(
      await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime"),
    );
    await page.close();
  }
  return `first paint ${spread(paints)} ms, the floor within ${spread(floors)} ms, of ${PAINTS} (limit 1,000)`;
}

const WATCH_FRAMES = `new Promise((resolve) => {
  const deltas = [];
  const end = performance.now() + ${WATCH_MS};
  let last = performance.now();
  const frame = (now) => {
    deltas.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(frame);
    else resolve(deltas.slice(1));
  };
  requestAnimationFrame(frame);
})`;

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of processor time. */
  tdur?: number;
  args: { name?: string };
}

/**
 * Frames that the page missed while it was watched, by its own clock and by the browser's trace. The processor time of
 * its longest task is what a busy machine does not falsify: below 16.7 ms, an idle one misses nothing.
 */
async function frames(browser: Browser, page: Page): Promise<string> {
  await browser.startTracing(page, {
    categories: ["disabled-by-default-devtools.timeline.frame", "toplevel"],
  });
  const deltas = await page.evaluate<number[]>(WATCH_FRAMES);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const mains = new Set(
    traceEvents.filter(({ args }) => args.name === "CrRendererMain").map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks_ms = traceEvents
    .filter(({ name, pid, tid }) => name === "ThreadControllerImpl::RunTask" && mains.has(`${pid}/${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000);
  const over = tasks_ms.filter((ms) => ms > FRAME_MS).length;
  const dropped = traceEvents.filter(({ name }) => name === "DroppedFrame").length;
  const missed = deltas.reduce((sum, delta) => sum + Math.max(0, Math.round(delta / FRAME_MS) - 1), 0);
  const seconds = deltas.reduce((sum, delta) => sum + delta, 0) / 1000;
  const busy = tasks_ms.reduce((sum, ms) => sum + ms, 0) / seconds;
  return (
    `${deltas.length.toLocaleString("en")} frames in ${seconds.toFixed(0)} s, ${missed} missed (trace: ${dropped}), longest ${Math.max(...deltas).toFixed(0)} ms; ` +
    `processor time: ${busy.toFixed(0)} ms per s, longest task ${Math.max(0, ...tasks_ms).toFixed(1)} ms, ${over} over a frame's ${FRAME_MS.toFixed(1)}`
  );
}

/** What the page holds after collecting garbage, minute by minute. */
async function memory(page: Page, minutes: number): Promise<string> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const heaps = [await heapMb(session)];
  for (let minute = 0; minute < minutes; minute++) {
    await page.waitForTimeout(Math.min(1, minutes - minute) * MINUTE_MS);
    heaps.push(await heapMb(session));
  }
  const nodes = await page.evaluate<number>("document.querySelectorAll('*').length");
  return `memory over ${minutes} min, MB: ${heaps.map((heap) => heap.toFixed(2)).join(" ")}; ${nodes.toLocaleString("en")} elements`;
}

async function heapMb(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? Number.NaN) / 1e6;
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]!.toFixed(0)} (${sorted[0]!.toFixed(0)}–${sorted.at(-1)!.toFixed(0)})`;
}
