import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { MEASURED_FIELDS, type TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { type MetricsPage, metricsPage } from "../../shared/metrics.ts";
import { addProcessMetrics } from "../../shared/process-metrics.ts";
import { packageVersion } from "../../shared/version.ts";
import type { Agent, AgentStats } from "../agent.ts";
import { SEVERITIES } from "../guardrail/guardrail.ts";
import type { Observer, TickView } from "../observer.ts";

export interface AgentMetrics {
  readonly page: MetricsPage;
  readonly observer: Observer;
}

interface AgentMetricsContext {
  config: Pick<AgentConfig, "site" | "rack_id">;
  agent: () => Pick<Agent, "stats" | "connected">;
}

/** The agent's Prometheus page. Its names begin with skadi_agent_: what the aggregator knows of a rack is another page. */
export function agentMetrics({ config, agent }: AgentMetricsContext): AgentMetrics {
  const page = metricsPage();
  addProcessMetrics(page);
  const { site, rack_id: rack } = config;
  let last: TickView | null = null;
  const actions = new Map<string, { labels: { source: string; outcome: string }; count: number }>();
  page.gauge(
    "skadi_agent_info",
    "Always 1; which agent this is.",
    () => [[{ site, rack, version: packageVersion() }, 1]],
    ["site", "rack", "version"],
  );
  page.gauge(
    "skadi_agent_model_info",
    "Always 1; the model that the agent scores with. Absent: none.",
    () => (last?.model_id ? [[{ model_id: last.model_id }, 1]] : []),
    ["model_id"],
  );
  addReadings(page, () => last?.telemetry ?? null);
  page.gauge("skadi_agent_deviation", "D of the last sample.", () => last?.score?.d ?? null);
  page.gauge(
    "skadi_agent_mms_persistent",
    "1 while the aggregator holds the deviation for persistent.",
    () => last && Number(last.mms_state === "persistent"),
  );
  page.gauge(
    "skadi_agent_closed_loop",
    "1 while devices are driven, 0 while advisory or stopped.",
    () => last && Number(last.closed_loop),
  );
  page.gauge(
    "skadi_agent_guardrail_severity",
    "1 for what the guardrail makes of the rack now, 0 for the others.",
    () => SEVERITIES.map((severity) => [{ severity }, last && Number(last.severity === severity)] as const),
    ["severity"],
  );
  addCounts(page, () => agent().stats());
  page.gauge("skadi_agent_broker_connected", "1 while the broker can be reached.", () =>
    Number(agent().connected),
  );
  page.counter(
    "skadi_agent_actions_total",
    "Actions of the guardrail, optimizer and operators, by outcome.",
    () => [...actions.values()].map(({ labels, count }) => [labels, count] as const),
    ["source", "outcome"],
  );
  const ticked = page.durations(
    "skadi_agent_tick_duration_seconds",
    "One guard tick, from closing the sample to handing what was decided to the devices.",
  );
  const scored = page.durations("skadi_agent_score_duration_seconds", "Scoring of one sample.");
  const published = page.durations(
    "skadi_agent_mqtt_publish_duration_seconds",
    "From a publish to the broker's acknowledgement.",
  );
  return {
    page,
    observer: {
      ticked(tick) {
        last = tick;
        ticked(tick.duration_s);
        if (tick.score_s !== null) scored(tick.score_s);
      },
      acted({ source, outcome }) {
        const key = `${source}/${outcome}`;
        const entry = actions.get(key) ?? { labels: { source, outcome }, count: 0 };
        entry.count++;
        actions.set(key, entry);
      },
      published,
    },
  };
}

function addReadings(page: MetricsPage, sample: () => TelemetrySample | null): void {
  const reading = (name: string, help: string, of: (s: TelemetrySample) => number | null) =>
    page.gauge(`skadi_agent_${name}`, help, () => {
      const now = sample();
      return now && of(now);
    });
  reading("inlet_celsius", "Inlet air temperature, as read.", (s) => s.inlet_c);
  reading("outlet_celsius", "Outlet air temperature, as read.", (s) => s.outlet_c);
  reading("power_watts", "Electrical power of the rack, as read.", (s) => s.pdu_kw && s.pdu_kw * 1000);
  page.gauge(
    "skadi_agent_reading_good",
    "1 where a quantity was read and is believed, 0 where it is stale, missing or suspect.",
    () => {
      const now = sample();
      return now
        ? MEASURED_FIELDS.map((field) => [{ field }, Number(now.quality[field] === "good")] as const)
        : [];
    },
    ["field"],
  );
}

const COUNTS = [
  ["samples", "reads_total", "Reads of the sensors."],
  ["samples_sent", "samples_total", "Telemetry messages, each the mean of several reads."],
  ["sensor_errors", "sensor_errors_total", "Reads of the sensors that failed."],
  ["scores", "scores_total", "Samples scored."],
  ["guard_ticks", "guard_ticks_total", "Ticks of the guardrail."],
  ["late_ticks", "guard_ticks_late_total", "Ticks that came later than half an interval."],
  ["model_swaps", "model_swaps_total", "Models taken over from the aggregator."],
  ["published", "published_total", "Messages that the broker has acknowledged."],
  ["dropped", "outbox_dropped_total", "Messages given up because there was no room."],
  ["rolled_up", "outbox_rolled_up_total", "Messages of a long outage that became part of a coarser one."],
] as const satisfies readonly [keyof AgentStats, string, string][];

function addCounts(page: MetricsPage, stats: () => AgentStats): void {
  for (const [field, name, help] of COUNTS) page.counter(`skadi_agent_${name}`, help, () => stats()[field]);
  page.gauge("skadi_agent_outbox_messages", "Messages that the broker has not acknowledged.", () => {
    return stats().outbox;
  });
  page.gauge("skadi_agent_outbox_unsaved_messages", "How many of them a restart would lose.", () => {
    return stats().unsaved;
  });
}
