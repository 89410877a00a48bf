import { type MetricsPage, metricsPage, type Stopwatch } from "../../shared/metrics.ts";
import { addProcessMetrics } from "../../shared/process-metrics.ts";
import { addRackMetrics } from "./rack-metrics.ts";
import { addSiteMetrics, type SiteMetricsContext } from "./site-metrics.ts";
import { addTrafficMetrics, type TrafficMetricsContext } from "./traffic-metrics.ts";

/** The aggregator's Prometheus page, and what its parts time themselves with. */
export interface Metrics {
  readonly page: MetricsPage;
  /** From a publish to the broker's acknowledgement. */
  readonly publish: Stopwatch;
  /** Handling of one message from the broker. */
  readonly message: Stopwatch;
  /** Of `method`, `route` and `status`. */
  readonly request: Stopwatch;
  /** What is read of the parts, once they are there. */
  add(parts: SiteMetricsContext & TrafficMetricsContext): void;
  stop(): void;
}

export function createMetrics(): Metrics {
  const page = metricsPage();
  const stop = addProcessMetrics(page);
  return {
    page,
    publish: page.durations(
      "skadi_mqtt_publish_duration_seconds",
      "From a publish to the broker's acknowledgement.",
    ),
    message: page.durations(
      "skadi_mqtt_message_duration_seconds",
      "Handling of one message from the broker.",
    ),
    request: page.durations("skadi_http_request_duration_seconds", "Handling of one HTTP request.", [
      "method",
      "route",
      "status",
    ]),
    add(parts) {
      addSiteMetrics(page, parts);
      addRackMetrics(page, parts);
      addTrafficMetrics(page, parts);
    },
    stop,
  };
}
