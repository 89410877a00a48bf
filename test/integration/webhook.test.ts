import { createHmac } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { pageServer, type Request } from "../support/page-server.ts";

const log = createLog("test", "silent");
const clock = systemClock();

/** A scheduler that keeps what it is told. */
async function scheduler() {
  const state: { settings: Record<string, unknown>; status: number } = { settings: {}, status: 200 };
  const server = await pageServer((request, response) => {
    if (request.method !== "GET" && state.status < 300)
      Object.assign(state.settings, JSON.parse(request.body));
    response.writeHead(state.status).end(JSON.stringify({ settings: state.settings }));
  });
  const changes = () => server.requests.filter(({ method }) => method !== "GET");
  return { state, changes, ...server };
}

function driven(target: object, more: object = {}) {
  const drives = [{ name: "scheduler", driver: "webhook", ...more, targets: [target] }];
  const config = AgentConfig.parse({ rack_id: "R-A-01", drives });
  const driver = actuatorDriver(config, clock, log);
  onTestFinished(() => driver.close());
  const gate = (value: number | null) => {
    const request = { target: driver.targets[0]!, value, mode: "closed_loop" } as const;
    return driveThroughGate(driver, config.actuators, request, clock);
  };
  return { driver, gate };
}

const weight = (url: string) => ({
  target: "routing_weight_pct",
  url: `${url}/racks/7`,
  scale: 0.01,
  body: { weight: "{{value}}", reason: "{{target}} is {{value}}" },
  read_back: "/settings/weight",
});

describe("a scheduler behind a webhook", () => {
  it("is told, read back, and given its own control back", async () => {
    const { url, state, changes } = await scheduler();
    state.settings.weight = null;
    const { gate } = driven(weight(url));
    expect(await gate(80)).toMatchObject({ outcome: "applied", from: null, now: 80 });
    expect(state.settings).toEqual({ weight: 0.8, reason: "routing_weight_pct is 0.8" });
    expect(changes()[0]).toMatchObject({ method: "PUT", url: "/racks/7" });
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 80, now: null });
    expect(state.settings.weight).toBeNull();
  });

  it("may call its own control by a name, and be read elsewhere", async () => {
    const { url, state, requests } = await scheduler();
    state.settings.value = "auto";
    const target = {
      target: "batch_window_ms",
      url: `${url}/set`,
      method: "POST",
      automatic: "auto",
      read_url: `${url}/get`,
      read_back: "/settings/value",
    };
    const { gate } = driven(target);
    expect(await gate(30)).toMatchObject({ outcome: "applied", from: null, now: 30 });
    expect(state.settings).toEqual({ target: "batch_window_ms", value: 30 });
    expect(await gate(null)).toMatchObject({ outcome: "applied", now: null });
    expect(new Set(requests.map(({ method, url }) => `${method} ${url}`))).toEqual(
      new Set(["GET /get", "POST /set"]),
    );
  });

  it("that cannot be read back is taken at its word", async () => {
    const { url, state } = await scheduler();
    const { gate } = driven({ ...weight(url), read_back: "none" });
    expect(await gate(80)).toMatchObject({ outcome: "applied", from: null, now: 80 });
    state.status = 500;
    expect(await gate(90)).toMatchObject({ outcome: "refused", from: 80 });
    state.status = 200;
    expect(await gate(90)).toMatchObject({ outcome: "applied", from: 80, now: 90 });
  });

  it("that does not obey, or answers nonsense, is found out", async () => {
    const server = await pageServer((_, response) => response.end('{"settings":{"weight":0.5}}'));
    expect(await driven(weight(server.url)).gate(60)).toMatchObject({ outcome: "refused", now: 50 });
    const odd = await pageServer((_, response) => response.end('{"settings":{"weight":"some"}}'));
    const { outcome, rejection } = await driven(weight(odd.url)).gate(60);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toContain("#/settings/weight");
  });

  it("gets a token, or a signature over the time and what is sent", async () => {
    const { url, state, changes } = await scheduler();
    state.settings.weight = null;
    await driven(weight(url), { auth: { bearer: "let me" } }).gate(80);
    expect(changes()[0]?.headers.authorization).toBe("Bearer let me");
    await driven(weight(url), { auth: { hmac: "shared" } }).gate(90);
    const { headers, body } = changes()[1] as Request;
    const timestamp = headers["x-skadi-timestamp"];
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    const expected = createHmac("sha256", "shared").update(`${timestamp}.${body}`).digest("hex");
    expect(headers["x-skadi-signature"]).toBe(`sha256=${expected}`);
  });

  it("can tell a change that is sent again from a new one", async () => {
    const { url, state, changes } = await scheduler();
    state.settings.weight = null;
    const { driver } = driven(weight(url));
    state.status = 503;
    await expect(driver.write("routing_weight_pct", 80)).rejects.toThrow("503");
    state.status = 200;
    await driver.write("routing_weight_pct", 80);
    await driver.write("routing_weight_pct", 80);
    const keys = changes().map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(4);
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(keys[3]).not.toBe(keys[0]);
  });

  it("is not followed to another place with a change, not even on the same server", async () => {
    const other = await scheduler();
    for (const location of [`${other.url}/racks/7`, "/racks/8"]) {
      const server = await pageServer((_, response) => response.writeHead(307, { location }).end());
      const { gate } = driven({ ...weight(server.url), read_back: "none" }, { auth: { bearer: "let me" } });
      expect(await gate(80)).toMatchObject({ outcome: "refused" });
      expect(new Set(server.requests.map(({ url }) => url))).toEqual(new Set(["/racks/7"]));
    }
    expect(other.requests).toEqual([]);
  });
});
