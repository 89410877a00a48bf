import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { serveMetrics } from "../../agent/metrics/server.ts";
import { createLog } from "../../shared/log.ts";
import { freshAgentPage } from "../support/agent-page.ts";
import { eventually } from "../support/eventually.ts";
import { freeTcpPort } from "../support/ports.ts";
import { agentStatus, HOT, sample, type TestSite, testSite, topicOf } from "./aggregator-harness.ts";

describe("the aggregator's metrics", () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite({ config: { rows: ["A", "B"], racks_per_row: 3 } });
  });
  afterAll(() => site.close());

  const scrape = async () => (await fetch(`${site.aggregator.http_url}/metrics`)).text();
  const value = (page: string, series: string) => {
    const line = page.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.split(" ")[1]);
  };

  it("give a rack's readings in base units, and none of a rack that says nothing", async () => {
    await site.post("/telemetry", sample("R-A-02", HOT));
    const page = await scrape();
    expect(value(page, 'skadi_rack_inlet_celsius{rack="R-A-02",row="A"}')).toBe(29);
    expect(value(page, 'skadi_rack_power_watts{rack="R-A-02",row="A"}')).toBe(8_000);
    expect(value(page, 'skadi_rack_gpu_power_watts{rack="R-A-02",row="A"}')).toBe(5_600);
    expect(value(page, 'skadi_rack_fan_speed_ratio{rack="R-A-02",row="A"}')).toBe(0.95);
    expect(value(page, 'skadi_rack_deviation{rack="R-A-02",row="A"}')).toBeGreaterThan(3);
    expect(value(page, 'skadi_rack_inlet_celsius{rack="R-A-01",row="A"}')).toBeUndefined();
    expect(value(page, 'skadi_rack_agent_up{rack="R-A-01",row="A"}')).toBe(0);
    expect(value(page, 'skadi_racks{condition="unknown"}')).toBe(5);
  });

  it("name the model in force, its thresholds, the limits and the mode", async () => {
    const page = await scrape();
    expect(page).toMatch(/skadi_model_info\{model_id="ims_[^"]+"\} 1/);
    expect(value(page, 'skadi_model_threshold{level="fast"}')).toBeGreaterThan(1);
    expect(value(page, "skadi_limit_inlet_celsius")).toBe(28);
    expect(value(page, "skadi_site_closed_loop")).toBe(0);
    expect(value(page, 'skadi_incidents{status="open",severity="critical"}')).toBe(0);
  });

  it("count outcomes of actions, rejections by code, and requests by route", async () => {
    const agent = await site.mqtt();
    await agent.publish(topicOf("R-B-01", "status"), agentStatus("R-B-01", "online"), true);
    await eventually("the agent is online", async () => {
      return value(await scrape(), 'skadi_rack_agent_up{rack="R-B-01",row="B"}') === 1;
    });
    const setpoint = { rack_id: "R-B-01", target: "fan_rpm_pct", value: 70 };
    await site.post("/mode", { mode: "closed_loop" }, { token: true });
    await site.post("/actions/apply", setpoint, { token: true });
    await site.post("/telemetry", { rack_id: "R-A-01" });
    await site.get("/no/such/page");
    const page = await scrape();
    const outcomes = [...page.matchAll(/skadi_actions_total\{source="operator",outcome="(\w+)"\} 1/g)];
    expect(outcomes).toHaveLength(1);
    expect(value(page, 'skadi_rejections_total{code="SKADI_INVALID_FIELD"}')).toBe(1);
    expect(page).toMatch(
      /http_request_duration_seconds_count\{method="POST",route="\/telemetry",status="200"\} 1/,
    );
    expect(page).not.toContain("/no/such/page");
    expect(value(page, "skadi_mqtt_publish_duration_seconds_count")).toBeGreaterThan(0);
    expect(value(page, "skadi_mqtt_message_duration_seconds_count")).toBeGreaterThan(0);
  });

  it("are bounded: every label's values are racks, rows, routes, codes or words of a fixed list", async () => {
    const before = (await scrape()).split("\n").length;
    for (let i = 0; i < 50; i++) {
      await site.get(`/nothing/${i}`);
      await site.post("/telemetry", { rack_id: `R-Z-${10 + i}` });
    }
    const after = (await scrape()).split("\n").length;
    // Two routes' histograms at most: the unknown path and the refused telemetry, each with its buckets.
    expect(after - before).toBeLessThan(2 * 15);
  });
});

describe("an agent's metrics page", () => {
  async function served() {
    const port = await freeTcpPort();
    const { page } = freshAgentPage();
    const server = serveMetrics({ host: "127.0.0.1", port, page, log: createLog("test", "silent") });
    onTestFinished(() => server.close());
    await eventually("the page is there", async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).ok);
    return port;
  }

  it("has the outbox, and nothing of what was not read yet", async () => {
    const text = await freshAgentPage().page.text();
    expect(text).toContain("\nskadi_agent_outbox_messages 3\n");
    expect(text).toContain("\nskadi_agent_broker_connected 0\n");
    expect(text).not.toMatch(/^skadi_agent_inlet_celsius/m);
  });

  it("counts actions by source and outcome", async () => {
    const { page, observer } = freshAgentPage();
    const action = { source: "guardrail", outcome: "applied" } as const;
    for (let i = 0; i < 2; i++) observer.acted(action as Parameters<typeof observer.acted>[0]);
    expect(await page.text()).toContain('skadi_agent_actions_total{source="guardrail",outcome="applied"} 2');
  });

  it("answers GET /metrics and nothing else", async () => {
    const port = await served();
    const statuses = [];
    for (const [method, path] of [
      ["GET", "/metrics"],
      ["GET", "/"],
      ["POST", "/metrics"],
    ]) {
      statuses.push(
        await new Promise((resolve, reject) => {
          const asked = request({ port, host: "127.0.0.1", method, path }, (answer) => {
            answer.resume();
            resolve(answer.statusCode);
          });
          asked.on("error", reject).end();
        }),
      );
    }
    expect(statuses).toEqual([200, 404, 405]);
  });

  it("on a port that is taken costs a log line, not the agent", async () => {
    const port = await served();
    const lines: string[] = [];
    const log = createLog("test", "silent");
    log.error = ((entry: { event: string }) => lines.push(entry.event)) as unknown as typeof log.error;
    const second = serveMetrics({ host: "127.0.0.1", port, page: freshAgentPage().page, log });
    await eventually("it says so", () => lines.includes("metrics_unavailable"));
    await second.close();
  });
});
