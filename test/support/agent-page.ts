import { agentMetrics } from "../../agent/metrics/agent-metrics.ts";

/** The metrics page of an agent that has just started. */
export function freshAgentPage() {
  const stats = {
    ...{
      samples: 5,
      samples_sent: 1,
      sensor_errors: 0,
      scores: 1,
      guard_ticks: 1,
      late_ticks: 0,
      actions: 0,
    },
    ...{ published: 2, outbox: 3, unsaved: 0, dropped: 0, rolled_up: 0, model_swaps: 0 },
  };
  const config = { site: "dc1", rack_id: "R-A-01" };
  return agentMetrics({ config, agent: () => ({ stats: () => stats, connected: false }) });
}
