import { expect, it } from "vitest";
import type { Command } from "../../shared/contracts/messages.ts";
import { commandTopic } from "../../shared/contracts/topics.ts";
import { agentStatus, HOT, SITE, sample, testSite, topicOf } from "./aggregator-harness.ts";

it("a restart keeps mode, kill switch and actions, recognises old samples, and remembers MMS", async () => {
  const site = await testSite();
  const persistent = Array.from({ length: 8 }, (_, i) => sample("R-C-03", { seq: 100 + i, ...HOT }));
  const nominal = [1, 2, 3].map((seq) => sample("R-A-01", { seq }));
  await site.post("/telemetry", { samples: [...persistent, ...nominal] });
  await site.post("/mode", { mode: "closed_loop", kill_switch: true }, { token: true });
  await site.post("/mode", { kill_switch: false }, { token: true });
  await site.post("/mode", { mode: "advisory" }, { token: true });
  const tick = await site.post("/optimizer/tick", undefined, { token: true });
  await site.post("/mode", { mode: "closed_loop", kill_switch: true }, { token: true });
  expect(tick.body.actions.length).toBeGreaterThan(0);
  const { body: before } = await site.get("/actions/log");

  await site.restart();

  expect((await site.get("/mode")).body).toEqual({ mode: "closed_loop", kill_switch: true });
  expect((await site.get("/actions/log")).body).toEqual(before);
  expect((await site.post("/telemetry", { samples: nominal })).body).toMatchObject({
    accepted: 0,
    duplicates: 3,
  });
  expect((await site.post("/telemetry", sample("R-A-01", { seq: 0 }))).body).toMatchObject({ late: 1 });
  expect((await site.post("/telemetry", sample("R-A-01", { seq: 4 }))).body).toMatchObject({ accepted: 1 });
  const { body: overview } = await site.get("/state/overview");
  const rack = overview.rack_list.find((r: { rack_id: string }) => r.rack_id === "R-C-03");
  expect(rack).toMatchObject({ state: "persistent", mms_state: "persistent" });
  await site.close();
});

it("an agent that comes online is told mode and MMS state by signed commands whose counters rise over a restart", async () => {
  const site = await testSite();
  const told = async () => {
    const client = await site.mqtt();
    await client.publish(topicOf("R-A-01", "status"), agentStatus("R-A-01", "online"), true);
    const of = (kind: string) =>
      client.received<Command>(commandTopic(SITE, "R-A-01"), (command) => command.body.kind === kind);
    return [await of("set_mode"), await of("mms_state")] as const;
  };
  const [mode, mms] = await told();
  expect(mode.body).toEqual({ kind: "set_mode", mode: "advisory", kill_switch: false });
  expect(mms.body).toEqual({ kind: "mms_state", state: "transient" });
  expect(mms.counter).toBeGreaterThan(mode.counter);
  expect(mode.signature).toBeTruthy();
  await site.restart();
  const [again] = await told();
  expect(again.counter).toBeGreaterThan(mms.counter);
  await site.close();
});

it("stopping writes everything down, even with a flush time that never comes", async () => {
  const site = await testSite({
    config: { store: { flush_ms: 3_600_000 }, broker: { port: 0 }, http: { port: 0 } },
  });
  const client = await site.mqtt();
  const samples = Array.from({ length: 200 }, (_, i) => sample("R-B-01", { seq: i }));
  await Promise.all(samples.map((s) => client.publish(topicOf("R-B-01", "telemetry"), s)));
  await site.restart();
  expect((await site.post("/telemetry", { samples })).body).toMatchObject({ accepted: 0, duplicates: 200 });
  await site.close();
});
