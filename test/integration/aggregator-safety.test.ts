import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isPaused } from "../../aggregator/savings/switchback.ts";
import type { Action } from "../../shared/contracts/action.ts";
import type { Command } from "../../shared/contracts/messages.ts";
import { commandTopic } from "../../shared/contracts/topics.ts";
import { isoTime, systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import {
  agentStatus,
  SITE,
  sample,
  type TestClient,
  type TestSite,
  testSite,
  topicOf,
} from "./aggregator-harness.ts";

let site: TestSite;
let client: TestClient;
beforeAll(async () => {
  site = await testSite();
  client = await site.mqtt();
  for (const rack_id of ["R-C-01", "R-C-02", "R-D-01"]) {
    await client.publish(topicOf(rack_id, "status"), agentStatus(rack_id, "online"), true);
  }
  await eventually("the agents", async () => (await site.get("/state/overview")).body.racks.online === 3);
});
afterAll(() => site.close());

const setMode = (body: object) => site.post("/mode", body, { token: true });
const apply = (body: object) => site.post("/actions/apply", body, { token: true });
const fanOf = (rack_id: string, value = 70) => apply({ rack_id, target: "fan_rpm_pct", value });
const modeOrders = (rack_id: string) =>
  (client.all(commandTopic(SITE, rack_id)) as Command[])
    .map(({ body }) => body)
    .filter((body) => body.kind === "set_mode");

describe("modes of rows and racks", () => {
  beforeEach(async () => {
    await setMode({ mode: "advisory", kill_switch: false });
    for (const scope of [{ row: "C" }, { rack_id: "R-C-02" }]) await setMode({ mode: null, scope });
  });

  it("are set, shown and removed over the API, which stays as it was without them", async () => {
    const { body } = await setMode({ mode: "closed_loop", scope: { row: "C" } });
    expect(body.overrides).toEqual({ rows: { C: "closed_loop" }, racks: {} });
    await setMode({ mode: "advisory", scope: { rack_id: "R-C-02" } });
    expect((await site.get("/mode")).body).toEqual({
      mode: "advisory",
      kill_switch: false,
      overrides: { rows: { C: "closed_loop" }, racks: { "R-C-02": "advisory" } },
    });
    const { body: overview } = await site.get("/state/overview");
    const modes = overview.rack_list.map((rack: { rack_id: string; mode: string }) => [
      rack.rack_id,
      rack.mode,
    ]);
    expect(Object.fromEntries(modes)).toMatchObject({
      "R-C-01": "closed_loop",
      "R-C-02": "advisory",
      "R-D-01": "advisory",
    });
    await setMode({ mode: null, scope: { row: "C" } });
    await setMode({ mode: null, scope: { rack_id: "R-C-02" } });
    expect((await site.get("/mode")).body).toEqual({ mode: "advisory", kill_switch: false });
  });

  it("reach the agents concerned, and only them", async () => {
    const before = modeOrders("R-D-01").length;
    await setMode({ mode: "closed_loop", scope: { row: "C" } });
    await client.received<Command>(
      commandTopic(SITE, "R-C-01"),
      ({ body }) => body.kind === "set_mode" && body.mode === "closed_loop",
    );
    expect(modeOrders("R-D-01")).toHaveLength(before);
  });

  it("decide whose devices an operator may set; the kill switch forbids them all", async () => {
    await setMode({ mode: "closed_loop", scope: { rack_id: "R-C-02" } });
    expect((await fanOf("R-C-02")).status).toBe(200);
    const elsewhere = await fanOf("R-C-01");
    expect([elsewhere.status, elsewhere.body.error.rejections[0].field]).toEqual([409, "mode"]);
    await setMode({ kill_switch: true });
    const killed = await apply({ rack_id: "R-C-02", target: "pump_rpm_pct", value: 60 });
    expect([killed.status, killed.body.error.rejections[0].field]).toEqual([409, "kill_switch"]);
  });

  it("let a recommendation be approved in advisory, but never against the kill switch", async () => {
    await site.post("/telemetry", { samples: [sample("R-C-01"), sample("R-D-01")] });
    const { body } = await site.post("/optimizer/tick", undefined, { token: true });
    const advice = body.actions.find((action: Action) => action.rack_id === "R-C-01");
    expect(advice).toMatchObject({ outcome: "advised", mode: "advisory" });
    await setMode({ kill_switch: true });
    expect((await apply({ action_id: advice.id })).status).toBe(409);
    await setMode({ kill_switch: false });
    expect((await apply({ action_id: advice.id })).status).toBe(200);
  });

  it("let no recommendation be approved that is dated ahead: nobody knows how old it is", async () => {
    const ahead: Action = {
      ...{ v: 1, id: "ahead", ts: new Date(Date.now() + 3 * 3_600_000).toISOString(), rack_id: "R-C-01" },
      ...{ source: "guardrail", kind: "pre_cool", target: "pump_rpm_pct", from: null, to: 65 },
      ...{ mode: "advisory", outcome: "advised", reason: "heat", inputs: {} },
    };
    await client.publish(`skadi/v1/${SITE}/R-C-01/action`, ahead);
    await eventually("the advice", async () => {
      const { body } = await site.get("/actions/log?rack_id=R-C-01");
      return body.actions.some(({ id }: Action) => id === "ahead");
    });
    const { status, body } = await apply({ action_id: "ahead" });
    expect([status, body.error.rejections[0].field]).toEqual([409, "ts"]);
  });

  it.each([
    [{ mode: "closed_loop", scope: { row: "Z" } }, "scope.row"],
    [{ mode: "closed_loop", scope: { rack_id: "R-Z-01" } }, "scope.rack_id"],
    [{ mode: null }, "mode"],
    [{ kill_switch: true, scope: { row: "C" } }, "mode"],
  ])("are refused where they make no sense: %j", async (change, field) => {
    const { status, body } = await setMode(change);
    expect([status, body.error.rejections[0].field]).toEqual([422, field]);
  });
});

describe("a switchback", () => {
  it("has the optimizer pause and hand its devices back on every other day", async () => {
    const DAY_MS = 86_400_000;
    const clock = systemClock();
    const paused_now = isPaused(clock.now(), 24);
    const paused = async (days: number) => {
      const other = { ...clock, now: () => clock.now() + days * DAY_MS };
      const one = await testSite({ config: { savings: { switchback_h: 24 } }, clock: other });
      const { body } = await one.post("/optimizer/tick", undefined, { token: true });
      await one.close();
      return body.skipped === "switchback";
    };
    expect([await paused(0), await paused(1)]).toEqual([paused_now, !paused_now]);
  });
});

describe("a device", () => {
  it("takes one setpoint in 120 s", async () => {
    await setMode({ mode: "closed_loop" });
    expect((await fanOf("R-D-01")).status).toBe(200);
    const again = await fanOf("R-D-01", 72);
    expect([again.status, again.body.error.code]).toEqual([429, "SKADI_RATE_LIMITED"]);
    expect((await apply({ rack_id: "R-D-01", target: "pump_rpm_pct", value: 60 })).status).toBe(200);
  });

  it("in no quarantine cannot be released from it; releasing takes the token", async () => {
    expect((await site.get("/quarantine")).body).toEqual({ devices: [] });
    const device = { rack_id: "R-D-01", target: "fan_rpm_pct" };
    expect((await site.post("/quarantine/release", device)).status).toBe(401);
    const answer = await site.post("/quarantine/release", device, { token: true });
    expect([answer.status, answer.body.error.code]).toEqual([404, "SKADI_NOT_FOUND"]);
  });
});

describe("the saving", () => {
  it("is not made up where nothing is known, and the overview says so, too", async () => {
    const { status, body } = await site.get("/savings");
    expect([status, body.estimate, body.method]).toEqual([200, null, "matched_regression"]);
    expect(body.warnings).toHaveLength(2);
    const { kpis } = (await site.get("/state/overview")).body;
    expect(kpis.energy_saved_pct).toBeNull();
    expect(kpis.wh_below_baseline_pct).toBeTypeOf("number");
    const backwards = `/savings?from=${isoTime(Date.now())}&to=${isoTime(Date.now() - 60_000)}`;
    expect((await site.get(backwards)).status).toBe(422);
  });
});
