import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action } from "../../shared/contracts/action.ts";
import type { Ack, Command, SimulatorCommand, SimulatorStatus } from "../../shared/contracts/messages.ts";
import { commandTopic, simulatorCommandTopic, simulatorStatusTopic } from "../../shared/contracts/topics.ts";
import { reject } from "../../shared/errors.ts";
import { readPublicKey, verifyMessage } from "../../shared/signing.ts";
import { isoTime } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import {
  agentStatus,
  HOT,
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
});
afterAll(() => site.close());

type Setpoint = Extract<Command["body"], { kind: "setpoint" }>;

const setpointTo = async (rack_id: string, action_id?: string) => {
  const command = await client.received<Command>(
    commandTopic(SITE, rack_id),
    ({ body }) => body.kind === "setpoint" && (action_id === undefined || body.action_id === action_id),
  );
  return { command, body: command.body as Setpoint };
};
const logged = async (id: string): Promise<Action> => {
  const { body } = await site.get("/actions/log?limit=1000");
  return body.actions.find((action: Action) => action.id === id);
};

describe("MMS", () => {
  it("tells a rack's agent when it turns persistent and when it is over", async () => {
    const feed = (seq: number, changes: object = {}) =>
      site.post("/telemetry", sample("R-C-07", { seq, ...changes }));
    for (let i = 0; i < 6; i++) await feed(i, HOT);
    const stateOf = (state: string) =>
      client.received<Command>(
        commandTopic(SITE, "R-C-07"),
        (c) => c.body.kind === "mms_state" && c.body.state === state,
      );
    await stateOf("persistent");
    const { body } = await site.get("/state/overview");
    expect(body.racks).toMatchObject({ persistent: 1 });
    for (let i = 6; i < 40; i++) await feed(i);
    await stateOf("transient");
    const { body: timeline } = await site.get("/timeline");
    const states = timeline.events.filter((e: { type: string }) => e.type === "mms");
    expect(states.map((e: { data: { state: string } }) => e.data.state)).toEqual(["transient", "persistent"]);
  });
});

describe("setpoints", () => {
  beforeAll(async () => {
    await client.publish(topicOf("R-D-01", "status"), agentStatus("R-D-01", "online", "closed_loop"), true);
    await eventually("the agent", async () => (await site.get("/state/overview")).body.racks.online > 0);
  });

  it("of an operator go out signed and short-lived; the agent's answer closes the action", async () => {
    await site.post("/mode", { mode: "closed_loop" }, { token: true });
    const fan = { rack_id: "R-D-01", target: "fan_rpm_pct", value: 72 };
    const { status, body } = await site.post("/actions/apply", fan, { token: true });
    expect([status, body.action.outcome]).toEqual([200, "sent"]);
    const { command, body: setpoint } = await setpointTo("R-D-01", body.action.id);
    expect(setpoint).toMatchObject({ target: "fan_rpm_pct", value: 72, source: "operator" });
    expect(verifyMessage(command, readPublicKey(site.aggregator.public_key_file))).toBe(true);
    expect(Date.parse(command.expires_at) - Date.parse(command.issued_at)).toBe(60_000);

    const answer: Action = { ...body.action, source: "operator", outcome: "applied", from: 65 };
    await client.publish(topicOf("R-D-01", "action"), answer);
    await eventually("the outcome", async () => (await logged(body.action.id)).outcome === "applied");
  });

  it("outside the limits are refused", async () => {
    const hot = { rack_id: "R-D-01", target: "fan_rpm_pct", value: 20 };
    const answer = await site.post("/actions/apply", hot, { token: true });
    expect([answer.status, answer.body.error.code]).toEqual([422, "SKADI_LIMIT"]);
  });

  it("that the agent refuses are refused in the log, with its reason", async () => {
    const pump = { rack_id: "R-D-01", target: "pump_rpm_pct", value: 60 };
    const { body } = await site.post("/actions/apply", pump, { token: true });
    const { command } = await setpointTo("R-D-01", body.action.id);
    const errors = [reject("SKADI_RATE_LIMITED", { field: "pump_rpm_pct" })];
    const ack: Ack = {
      v: 1,
      ts: isoTime(Date.now()),
      rack_id: "R-D-01",
      of: "command",
      ok: false,
      ref: command.id,
      errors,
    };
    await client.publish(topicOf("R-D-01", "ack"), ack);
    await eventually("the outcome", async () => (await logged(body.action.id)).outcome === "refused");
    expect((await logged(body.action.id)).reason).toContain("too many requests");
  });

  it("of the optimizer are sent in closed loop, to racks with an agent alone", async () => {
    await site.post("/telemetry", { samples: [sample("R-D-01"), sample("R-D-02")] });
    const { body } = await site.post("/optimizer/tick", undefined, { token: true });
    expect(body.actions.map((a: Action) => [a.rack_id, a.outcome])).toEqual([["R-D-01", "sent"]]);
    const { body: setpoint } = await setpointTo("R-D-01", body.actions[0].id);
    expect(setpoint).toMatchObject({ source: "optimizer", value: body.actions[0].to });
  });

  it("of the optimizer do not go to a rack while its guardrail protects it", async () => {
    const rack_id = "R-D-04";
    const feed = async (seq: number, says: object) => {
      const told = sample(rack_id, { seq });
      await client.publish(topicOf(rack_id, "telemetry"), told);
      const verdict = {
        d: 0.3,
        tau_fast: 1,
        tau_persist: 1.2,
        cluster: 0,
        contributions: {},
        state: "nominal",
      };
      const about = { v: 1, ts: told.ts, rack_id, seq, model_id: "small", scored_by: "agent" };
      await client.publish(topicOf(rack_id, "score"), { ...about, ...verdict, ...says });
    };
    const guarded = async () => (await site.get(`/racks/${rack_id}`)).body.guarded;
    const tick = async () => (await site.post("/optimizer/tick", undefined, { token: true })).body;
    await client.publish(topicOf(rack_id, "status"), agentStatus(rack_id, "online"), true);
    await feed(1, { guarded: true });
    await eventually("what the agent says", guarded);
    const during = await tick();
    expect(during.rejected.rack_guarded).toBe(1);
    expect(during.actions.filter((action: Action) => action.rack_id === rack_id)).toEqual([]);
    await feed(2, {});
    await eventually("the end of it", async () => !(await guarded()));
    expect((await tick()).actions).toMatchObject([{ rack_id, outcome: "sent" }]);
  });

  it("are held back by the kill switch", async () => {
    await site.post("/mode", { kill_switch: true }, { token: true });
    const fan = { rack_id: "R-D-01", target: "fan_rpm_pct", value: 72 };
    expect((await site.post("/actions/apply", fan, { token: true })).status).toBe(409);
    const { body } = await site.post("/optimizer/tick", undefined, { token: true });
    expect(body).toMatchObject({ skipped: "kill_switch", actions: [] });
    await site.post("/mode", { kill_switch: false }, { token: true });
  });

  it("of a recommendation go out when an operator approves it", async () => {
    await site.post("/mode", { mode: "advisory" }, { token: true });
    await client.publish(topicOf("R-D-03", "status"), agentStatus("R-D-03", "online"), true);
    await eventually("the agent", async () => (await site.get("/state/overview")).body.racks.online > 0);
    await site.post("/telemetry", sample("R-D-03"));
    const { body } = await site.post("/optimizer/tick", undefined, { token: true });
    const advice = body.actions.find((action: Action) => action.rack_id === "R-D-03");
    expect(advice.outcome).toBe("advised");
    const { status } = await site.post("/actions/apply", { action_id: advice.id }, { token: true });
    expect(status).toBe(200);
    expect((await setpointTo("R-D-03", advice.id)).body).toMatchObject({
      source: "operator",
      value: advice.to,
    });
    expect((await site.post("/actions/apply", { action_id: advice.id }, { token: true })).status).toBe(409);
  });
});

describe("the guardrail's actions", () => {
  it("are logged once, however often the agent's outbox repeats them", async () => {
    const before = (await site.get("/actions/log")).body.total;
    const action: Action = {
      v: 1,
      id: "R-E-01-1",
      ts: isoTime(Date.now()),
      rack_id: "R-E-01",
      source: "guardrail",
      kind: "pre_cool",
      target: "fan_rpm_pct",
      from: 65,
      to: 80,
      mode: "advisory",
      outcome: "advised",
      reason: "inlet near its limit",
      inputs: { inlet_c: 27.8 },
    };
    for (let i = 0; i < 3; i++) await client.publish(topicOf("R-E-01", "action"), action);
    await eventually("the action", () => logged("R-E-01-1"));
    expect((await site.get("/actions/log")).body.total).toBe(before + 1);
  });
});

describe("scenarios", () => {
  const status: SimulatorStatus = {
    v: 1,
    ts: isoTime(Date.now()),
    online: true,
    racks: 72,
    scenarios: [{ name: "heat_spike", aliases: ["add_ai_nodes_row_c"], description: "row C heats up" }],
    running: [],
  };

  it("are passed on to the connected simulator under its own name for them", async () => {
    await client.publish(simulatorStatusTopic(SITE), status, true);
    await eventually("the simulator", async () => (await site.get("/demo/scenarios")).body.simulator);
    const start = await site.post("/demo/scenario", { scenario: "add_ai_nodes_row_c", duration_minutes: 3 });
    expect(start.body).toEqual({ scenario: "heat_spike", action: "start", duration_s: 180 });
    const sent = (kind: string) =>
      client.received<SimulatorCommand>(simulatorCommandTopic(SITE), (command) => command.kind === kind);
    expect(await sent("start")).toEqual({ v: 1, kind: "start", scenario: "heat_spike", duration_s: 180 });
    await site.post("/demo/scenario", { scenario: "heat_spike", action: "stop" });
    expect(await sent("stop")).toEqual({ v: 1, kind: "stop", scenario: "heat_spike" });
  });

  it("that the simulator does not know are refused with those that it does", async () => {
    const answer = await site.post("/demo/scenario", { scenario: "earthquake" });
    expect(answer.status).toBe(422);
    expect(answer.body.error.rejections[0]).toMatchObject({ field: "scenario", value: "earthquake" });
    expect(answer.body.error.message).toContain("heat_spike");
  });

  it("cannot be played once the simulator is gone", async () => {
    await client.publish(simulatorStatusTopic(SITE), { ...status, online: false }, true);
    await eventually("its going", async () => !(await site.get("/demo/scenarios")).body.simulator);
    expect((await site.post("/demo/scenario", { scenario: "heat_spike" })).status).toBe(503);
  });
});
