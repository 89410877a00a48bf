import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { HOT, sample, testSite } from "../integration/aggregator-harness.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import { freeTcpPort } from "../support/ports.ts";
import { startProgram } from "../support/program.ts";
import { lintMetrics, startPrometheus } from "../support/prometheus.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** An agent program of rack R-A-01 that reads nominal values and shows its metrics. */
async function agentWithMetrics(mqtt_url: string) {
  const folder = temporaryFolder();
  const model_file = join(folder, "model.json");
  writeModelFile(model_file, smallModel());
  const port = await freeTcpPort();
  const config = {
    rack_id: "R-A-01",
    mqtt: { url: mqtt_url },
    sensors: {
      devices: [
        {
          ...{ name: "rack", driver: "exec", poll_s: 0.2 },
          command: ["/bin/echo", JSON.stringify(NOMINAL_SAMPLE)],
        },
      ],
    },
    loop: { sample_s: 0.2, score_s: 0.4 },
    model: { file: model_file, cache_dir: join(folder, "state") },
    metrics: { port },
  };
  const file = join(folder, "agent.yaml");
  writeFileSync(file, JSON.stringify(config));
  startProgram("agent", ["run", "--config", file]);
  return `127.0.0.1:${port}`;
}

it.runIf(hasProgram("promtool"))(
  "a real Prometheus scrapes aggregator and agent",
  async () => {
    const site = await testSite();
    onTestFinished(() => site.close());
    const agent = await agentWithMetrics(site.aggregator.mqtt_url);
    const prometheus = await startPrometheus({ aggregator: new URL(site.aggregator.http_url).host, agent });
    for (let i = 0; i < 3; i++) await site.post("/telemetry", sample("R-C-07", HOT));

    const one = (expression: string, fits: (value: number) => boolean) =>
      eventually(
        expression,
        async () => {
          const [first] = await prometheus.query(expression);
          return first && fits(first.value) ? first : undefined;
        },
        15_000,
      );
    await one('up{job="aggregator"}', (up) => up === 1);
    await one('up{job="agent"}', (up) => up === 1);
    await one('skadi_rack_inlet_celsius{rack="R-C-07",row="C"}', (inlet_c) => inlet_c === HOT.inlet_c);
    await one(
      'skadi_rack_latency_p95_seconds{rack="R-C-07"}',
      (p95_s) => p95_s === HOT.latency_p95_ms / 1000,
    );
    await one('skadi_rack_agent_up{rack="R-A-01"}', (up) => up === 1);
    await one('skadi_samples_total{order="in_order"}', (count) => count > 3);
    await one('skadi_scores_total{scored_by="agent"}', (count) => count > 0);
    await one("skadi_agent_inlet_celsius", (inlet_c) => inlet_c === NOMINAL_SAMPLE.inlet_c);
    await one('skadi_agent_guardrail_severity{severity="none"}', (on) => on === 1);
    await one("skadi_agent_score_duration_seconds_count", (count) => count > 0);
    await one("rate(skadi_agent_mqtt_publish_duration_seconds_count[5s])", (per_s) => per_s > 0);
    await one("skadi_agent_broker_connected", (connected) => connected === 1);

    for (const url of [`${site.aggregator.http_url}/metrics`, `http://${agent}/metrics`]) {
      const response = await fetch(url);
      expect(response.headers.get("content-type")).toContain("text/plain");
      expect(lintMetrics(await response.text())).toBe("");
    }
  },
  60_000,
);
