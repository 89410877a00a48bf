import { describe, expect, it } from "vitest";
import { DEVICE_LOGINS, type RackDevices } from "../../sim/devices/serve.ts";
import { buckets, histogramQuantile, metrics, RACK, startDevices, total } from "./devices-harness.ts";

const LATENCIES = ["vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds"];

describe("the rack's metrics page", () => {
  it("counts tokens as the plant serves them", async () => {
    const { plant, clock, devices } = await startDevices();
    const before = await metrics(devices);
    let served = 0;
    for (let s = 0; s < 60; s++) {
      clock.advance(1_000);
      served += plant.read(RACK).tokens_ps!;
    }
    const after = await metrics(devices);
    const name = "vllm:generation_tokens_total";
    expect(total(after, name)! - total(before, name)!).toBeCloseTo(served, -1);
    expect(total(after, "vllm:prompt_tokens_total")!).toBeGreaterThan(
      total(before, "vllm:prompt_tokens_total")!,
    );
    expect(total(after, "vllm:num_requests_waiting")).toBe(plant.read(RACK).queue_depth);
  });

  it.each(LATENCIES)("holds latencies in %s whose p95 over a window is the plant's", async (family) => {
    const { plant, clock, devices } = await startDevices();
    clock.advance(30_000);
    const before = buckets(await metrics(devices), family);
    let sum_ms = 0;
    for (let s = 0; s < 30; s++) {
      clock.advance(1_000);
      sum_ms += plant.read(RACK).latency_p95_ms!;
    }
    const after = buckets(await metrics(devices), family);
    const window = after.map(({ le, count }, k) => ({ le, count: count - before[k]!.count }));
    const mean_ms = sum_ms / 30;
    expect(Math.abs(histogramQuantile(0.95, window) * 1000 - mean_ms)).toBeLessThan(0.05 * mean_ms);
  });

  it("is in the form that Prometheus wants: typed families, ascending buckets that end at +Inf", async () => {
    const { clock, devices } = await startDevices();
    clock.advance(60_000);
    const response = await fetch(`${devices.prometheus.url}/metrics`);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text.endsWith("\n")).toBe(true);
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-zA-Z_:]\w*[\w:]*\{.*\} -?[\d.e+]+)$/);
    }
    const page = await metrics(devices);
    for (const family of LATENCIES) {
      const histogram = buckets(page, family);
      const sorted = histogram.toSorted((a, b) => a.le - b.le || a.count - b.count);
      expect(histogram).toEqual(sorted);
      expect(histogram.at(-1)).toEqual({
        le: Number.POSITIVE_INFINITY,
        count: total(page, `${family}_count`),
      });
      expect(histogram.at(-1)!.count).toBeGreaterThan(0);
    }
  });

  it("gives eight GPUs that share the plant's GPU energy, in mJ, and power", async () => {
    const { plant, clock, devices } = await startDevices();
    const energy = async () => total(await metrics(devices), "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")!;
    const before_mj = await energy();
    const before_j = plant.read(RACK).gpu_energy_j_total!;
    clock.advance(60_000);
    const spent_j = plant.read(RACK).gpu_energy_j_total! - before_j;
    expect(((await energy()) - before_mj) / 1000).toBeCloseTo(spent_j, 0);
    const page = await metrics(devices);
    expect([...page.keys()].filter((name) => name.startsWith("DCGM_FI_DEV_POWER_USAGE{"))).toHaveLength(8);
    expect(total(page, "DCGM_FI_DEV_POWER_USAGE")! / 1000).toBeCloseTo(plant.truth(RACK).gpu_kw, 3);
  });

  it("leaves out what cannot be read", async () => {
    const { plant, clock, devices } = await startDevices();
    clock.advance(5_000);
    for (const field of ["tokens_ps", "latency_p95_ms", "gpu_energy_j_total"] as const) {
      plant.inject({ kind: "sensor_dropout", rack_id: RACK, field, severity: 1 });
    }
    const page = await metrics(devices);
    expect(total(page, "vllm:generation_tokens_total")).toBeUndefined();
    expect(buckets(page, LATENCIES[0]!)).toEqual([]);
    expect(total(page, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")).toBeUndefined();
    expect(total(page, "vllm:num_requests_waiting")).toBe(plant.read(RACK).queue_depth);
  });
});

describe("the rack's scheduler", () => {
  const token = DEVICE_LOGINS.scheduler_token;
  const url = (devices: RackDevices, rack_id = RACK) =>
    `${devices.prometheus.url}/v1/scheduler/racks/${rack_id}`;
  const post = (devices: RackDevices, body: unknown, bearer = token) =>
    fetch(url(devices), {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  it("takes settings, shows them, and null gives them back", async () => {
    const { plant, clock, devices } = await startDevices();
    const before = plant.truth(RACK).tokens_ps;
    expect((await post(devices, { routing_weight_pct: 50, batch_window_ms: 40 })).status).toBe(200);
    const read = await fetch(url(devices), { headers: { authorization: `Bearer ${token}` } });
    expect(await read.json()).toEqual({
      rack_id: RACK,
      routing_weight_pct: 50,
      admission_pct: null,
      batch_window_ms: 40,
    });
    clock.advance(180_000);
    expect(plant.truth(RACK).tokens_ps).toBeLessThan(0.8 * before);
    await post(devices, { routing_weight_pct: null });
    expect(plant.target(RACK, "routing_weight_pct")).toBeNull();
    expect(plant.target(RACK, "batch_window_ms")).toBe(40);
  });

  it.each([
    ["beyond its range", { routing_weight_pct: 101 }],
    ["of another kind", { admission_pct: "50" }],
    ["that it does not know, whatever stands beside it", { admission_pct: 50, fan_rpm_pct: 60 }],
  ])("refuses a setting %s, and nothing changes", async (_what, body) => {
    const { plant, devices } = await startDevices();
    const refused = await post(devices, body);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ code: "SKADI_INVALID_FIELD" });
    expect(plant.target(RACK, "admission_pct")).toBeNull();
    expect(plant.target(RACK, "routing_weight_pct")).toBeNull();
  });

  it("knows its token and its rack only", async () => {
    const { plant, devices } = await startDevices();
    expect((await post(devices, { admission_pct: 10 }, "another")).status).toBe(401);
    expect((await fetch(url(devices))).status).toBe(401);
    expect(plant.target(RACK, "admission_pct")).toBeNull();
    const other = await fetch(url(devices, "R-C-08"), { headers: { authorization: `Bearer ${token}` } });
    expect(other.status).toBe(404);
  });
});
