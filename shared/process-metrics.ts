import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricsPage } from "./metrics.ts";

/**
 * What Prometheus expects of every process, under its usual names. Not prom-client's own set, of which some names break
 * the rules that `promtool check metrics` checks.
 *
 * @returns the function that ends the measurement
 */
export function addProcessMetrics(page: MetricsPage): () => void {
  const started_s = Date.now() / 1000 - process.uptime();
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  page.gauge("process_start_time_seconds", "Start of the process, since the Unix epoch.", () => started_s);
  page.counter("process_cpu_seconds_total", "User and system CPU time spent.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  page.gauge("process_resident_memory_bytes", "Resident memory size.", () => process.memoryUsage.rss());
  page.gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
  page.gauge("nodejs_eventloop_lag_p99_seconds", "Delay of the event loop since the last scrape.", () => {
    const p99_s = delay.percentile(99) / 1e9;
    delay.reset();
    return Number.isFinite(p99_s) ? p99_s : 0;
  });
  return () => {
    delay.disable();
  };
}
