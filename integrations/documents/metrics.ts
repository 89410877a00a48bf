import type { AgentStats } from "../../agent/agent.ts";
import { agentMetrics } from "../../agent/metrics/agent-metrics.ts";
import { askAggregator } from "./ask-aggregator.ts";

/** Every metric of aggregator and agent with its kind and meaning, as their pages say it. */
export async function metricsTable(): Promise<string> {
  const aggregator = await (await askAggregator("/metrics")).text();
  const nothing_yet = new Proxy({} as AgentStats, { get: () => 0 });
  const { page } = agentMetrics({
    config: { site: "dc1", rack_id: "R-A-01" },
    agent: () => ({ stats: () => nothing_yet, connected: false }),
  });
  return [
    "# Metrics",
    "",
    "Made from the code by `npm run docs:api`; [integrations.md](../integrations.md) says how they are scraped.",
    "",
    "## Aggregator",
    "",
    ...table(aggregator),
    "",
    "## Agent",
    "",
    ...table(await page.text()),
    "",
  ].join("\n");
}

function table(page: string): string[] {
  const metrics = [...page.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)];
  return [
    "| metric | kind | meaning |",
    "| --- | --- | --- |",
    ...metrics.map(([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`),
  ];
}
