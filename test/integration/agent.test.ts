import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import mqtt, { type MqttClient } from "mqtt";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import type { DriveDevice } from "../../agent/actuators/drive.ts";
import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import { drivesAsActuators } from "../../agent/actuators/drives.ts";
import { type Agent, createAgent } from "../../agent/agent.ts";
import { guard } from "../../agent/guardrail/guardrail.ts";
import { openJournal, readDecision } from "../../agent/journal.ts";
import type { SensorDriver } from "../../agent/sensors/driver.ts";
import { RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { Command, CommandBody } from "../../shared/contracts/messages.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import { commandTopic, modelTopic } from "../../shared/contracts/topics.ts";
import { writeHealthFile } from "../../shared/ims/health-file.ts";
import { createLog } from "../../shared/log.ts";
import { signMessage } from "../../shared/signing.ts";
import { pace, virtualClock } from "../../shared/time.ts";
import { type TestBroker, testBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";
import { smallHealth } from "../support/health.ts";
import { smallModel } from "../support/models.ts";
import { NOMINAL_READING } from "../support/readings.ts";
import { keyPair, manifestOf } from "../support/signed-manifests.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** One guard tick, 5 s, takes 50 ms. */
const SPEED = 100;
const RACK = "R-C-07";
const keys = keyPair();

type Values = Record<MeasuredField, number | null>;

interface Rig {
  broker: TestBroker;
  agent: Agent;
  values: Values;
  setpoints: Partial<Record<RackTarget, number | null>>;
  failed_safe: boolean;
  /** Every message of the rack by channel, in order of arrival. */
  heard: Record<string, Record<string, unknown>[]>;
  command(body: CommandBody, changes?: Partial<Command>): void;
  push(model: ModelFile, counter: number): void;
  raw(topic: string, payload: string): void;
  /** From now on the sensor driver never answers. */
  hang(): void;
  /** The next reading, and only that one, has this inlet. */
  blip(inlet_c: number): void;
  kill_switch_file: string;
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function rig(
  options: {
    mode?: "advisory" | "closed_loop";
    loop?: { sample_s: number; score_s: number };
    trust?: boolean;
    speed?: number;
    cache_dir?: string;
    health_file?: string;
    /** What the devices are set to; kept by them while agents come and go. */
    setpoints?: Rig["setpoints"];
    /** Called when the agent asks a device for its setpoint. */
    onRead?: () => void;
    /** The pump is a device of its own, which never answers. */
    pump_hangs?: boolean;
    /** Devices obey, but report a failure, as one does whose answer is lost. */
    mute?: boolean;
    /** Time stands still from the first write on, and devices obey at once but answer only then. */
    answer?: Promise<void>;
    /** The only device, behind the timeouts and retries of real ones, in place of all those above. */
    device?: DriveDevice;
  } = {},
): Promise<Rig> {
  const broker = await testBroker();
  cleanups.push(() => broker.close());
  const heard: Rig["heard"] = {};
  broker.onPublish((topic, payload) => {
    if (!topic.startsWith(`skadi/v1/dc1/${RACK}/`)) return;
    const channel = topic.split("/").at(-1)!;
    heard[channel] ??= [];
    if (channel !== "command") heard[channel].push(JSON.parse(payload));
  });
  const observer: MqttClient = await mqtt.connectAsync(broker.url, { reconnectPeriod: 50 });
  cleanups.push(() => observer.endAsync(true));

  // Follows real time, but never merges ticks: what this machine is busy with must not look like a missed tick.
  const clock = virtualClock(Date.now());
  cleanups.push(async () => stopTime());
  const stopTime = pace(clock, options.speed ?? SPEED);
  const values = { ...NOMINAL_READING };
  const setpoints = options.setpoints ?? {};
  let last_ms: number | null = null;
  const state = { failed_safe: false, hanging: false };
  const blips: number[] = [];
  const sensors: SensorDriver = {
    name: "test",
    open: async () => {},
    async read() {
      if (state.hanging) await new Promise(() => {});
      const at_ms = clock.now();
      const seconds = last_ms === null ? 1 : (at_ms - last_ms) / 1000;
      last_ms = at_ms;
      const gpu_energy_j = values.gpu_energy_j === null ? null : values.gpu_energy_j * seconds;
      return { at_ms, values: { ...values, inlet_c: blips.pop() ?? values.inlet_c, gpu_energy_j } };
    },
    close: async () => {},
  };

  const actuators: ActuatorDriver = {
    name: "test",
    targets: RACK_TARGETS,
    deviceOf: (target) => (target === "pump_rpm_pct" ? "pump" : "rack"),
    async read(target) {
      options.onRead?.();
      if (options.pump_hangs && target === "pump_rpm_pct") await new Promise(() => {});
      return setpoints[target] ?? null;
    },
    write: async (target, value, { permit } = {}) => {
      permit?.(target);
      setpoints[target] = value;
      if (options.mute && value !== null) throw new Error("no answer");
      if (options.answer) stopTime();
      await options.answer;
    },
    close: async () => {},
    failSafe: async () => {
      state.failed_safe = true;
    },
  };
  const cache_dir = options.cache_dir ?? temporaryFolder();
  const kill_switch_file = join(cache_dir, "kill-switch");
  const config = AgentConfig.parse({
    rack_id: RACK,
    mode: options.mode ?? "advisory",
    mqtt: { url: broker.url },
    loop: options.loop,
    guardrail: { kill_switch_file },
    model: { cache_dir, health_file: options.health_file },
  });
  const { device } = options;
  const drives = device ? [{ device, timeout_s: 4, retries: 1 }] : [];
  const driven = drivesAsActuators({
    drives,
    actuators: config.actuators,
    clock,
    log: createLog("test", "silent"),
  });
  const public_key = options.trust === false ? null : keys.publicKey;
  const agent = createAgent({
    config,
    clock,
    log: createLog("test", "silent"),
    sensors,
    actuators: device ? driven : actuators,
    public_key,
  });
  await agent.start();
  let running = true;
  const { stop } = agent;
  agent.stop = async () => {
    if (running) await stop();
    running = false;
  };
  cleanups.push(() => agent.stop());
  let counter = 0;
  return {
    broker,
    agent,
    values,
    setpoints,
    get failed_safe() {
      return state.failed_safe;
    },
    heard,
    command(body, changes = {}) {
      counter++;
      const now = Date.now();
      const message: Command = {
        v: 1,
        id: `command-${counter}`,
        rack_id: RACK,
        counter,
        issued_at: new Date(now).toISOString(),
        expires_at: new Date(now + 60_000).toISOString(),
        body,
        ...changes,
      };
      observer.publish(commandTopic("dc1", RACK), JSON.stringify(signMessage(message, keys.privateKey)), {
        qos: 1,
      });
    },
    raw(topic, payload) {
      observer.publish(topic, payload, { qos: 1 });
    },
    hang() {
      state.hanging = true;
    },
    blip(inlet_c) {
      blips.push(inlet_c);
    },
    kill_switch_file,
    push(model, model_counter) {
      observer.publish(modelTopic("dc1"), manifestOf(model, model_counter, keys), { qos: 1, retain: true });
    },
  };
}

const model = smallModel({ seed: 1 });

describe("an agent", () => {
  it("looks at its rack at once where single readings are scored, without the energy before", async () => {
    const { heard } = await rig({ loop: { sample_s: 5, score_s: 5 } });
    await eventually("two samples", () => (heard.telemetry?.length ?? 0) >= 2);
    expect(heard.telemetry!.slice(0, 2)).toMatchObject([
      { inlet_c: 22.5, gpu_energy_j: null },
      { inlet_c: 22.5, gpu_energy_j: expect.any(Number) },
    ]);
    expect(heard.telemetry![0]!.interval_s).toBe(5);
  });

  it("publishes telemetry every 5 s, and scores as soon as it has a model", async () => {
    const { heard, push } = await rig();
    await eventually("two samples", () => (heard.telemetry?.length ?? 0) >= 2);
    expect(heard.score).toBeUndefined();
    expect(heard.telemetry![0]).toMatchObject({
      v: 1,
      rack_id: RACK,
      inlet_c: 22.5,
      quality: { inlet_c: "good" },
    });
    const seconds = heard.telemetry!.map((t) => t.interval_s as number);
    expect(Math.min(...seconds)).toBeGreaterThan(1);

    push(model, 1);
    await eventually("a score", () => heard.score?.length);
    expect(heard.score![0]).toMatchObject({ model_id: model.id, scored_by: "agent", state: "nominal" });
    const ack = await eventually("an answer", () => heard.ack?.at(-1));
    expect(ack).toMatchObject({ of: "model", ok: true, ref: model.id, counter: 1, shadow: {} });
    await eventually("its new model in the status", () => heard.status?.at(-1)?.model_id === model.id);
    const { model_sha256, manifest } = heard.status!.at(-1)!;
    expect({ model_sha256, manifest }).toEqual({
      model_sha256: model.sha256,
      manifest: { counter: 1, stale: false },
    });
  });

  it("marks a reading that the other sensors contradict, and scores without it", async () => {
    const health_file = join(temporaryFolder(), "health.json");
    writeHealthFile(health_file, smallHealth());
    const { heard, push, values } = await rig({ health_file });
    Object.assign(values, { outlet_c: 36.5, gpu_energy_j: 5_750, latency_p95_ms: 195, queue_depth: 42 });
    Object.assign(values, { fan_rpm_pct: 65, pump_rpm_pct: 58.7, inlet_c: 12 });
    push(model, 1);
    const doubted = (score: Record<string, unknown>) => (score.missing as string[]).includes("inlet_c");
    const score = await eventually("a score without the inlet", () => heard.score?.find(doubted));
    expect(score.missing).toEqual(["inlet_c", "delta_t"]);
    const sample = heard.telemetry?.find(({ seq }) => seq === score.seq);
    expect(sample).toMatchObject({ inlet_c: 12, quality: { inlet_c: "suspect", outlet_c: "good" } });
  });

  it("keeps sampling while the broker is gone, and catches up in order without a gap or a duplicate", async () => {
    const { heard, agent, broker } = await rig();
    await eventually("a sample", () => heard.telemetry?.length);
    await broker.down();
    const before = agent.stats().samples_sent;
    await eventually("20 more samples", () => agent.stats().samples_sent >= before + 20);
    expect(agent.stats().outbox).toBeGreaterThan(0);
    await broker.up();
    await eventually(
      "everything delivered",
      () => agent.stats().outbox === 0 && heard.telemetry!.length >= before + 20,
    );
    await agent.stop();
    const seqs = await eventually("the last one", () => {
      const all = heard.telemetry!.map((t) => t.seq as number);
      return new Set(all).size === agent.stats().samples_sent ? all : null;
    });
    const unique = [...new Set(seqs)];
    expect(unique).toEqual([...unique].sort((a, b) => a - b));
    expect(agent.stats()).toMatchObject({ dropped: 0, late_ticks: 0 });
  }, 30_000);

  it("says goodbye when it stops, and its last will speaks when it cannot", async () => {
    const { heard, agent, broker } = await rig();
    await eventually("online", () => heard.status?.at(-1)?.state === "online");
    await agent.stop();
    await eventually("offline", () => heard.status?.at(-1)?.state === "offline");
    expect(broker.port).toBeGreaterThan(0);
  });

  it("swaps models without missing a tick, and refuses a bad one without missing one either", async () => {
    const offered = Array.from({ length: 10 }, (_, i) => {
      const another = smallModel({ seed: i + 2, created_ms: (i + 2) * 1e9 });
      return i % 3 === 1 ? { ...another, tau_fast: 0.1 } : another;
    });
    const { heard, agent, push } = await rig({ speed: 20 });
    push(model, 1);
    await eventually("scores", () => (heard.score?.length ?? 0) > 2);
    const answers = () => heard.ack?.filter((ack) => ack.of === "model") ?? [];
    for (const [i, model] of offered.entries()) {
      push(model, i + 2);
      await eventually("an answer", () => answers().at(-1)?.counter === i + 2);
    }
    const refusals = answers().filter((ack) => ack.ok === false);
    expect(refusals).toHaveLength(3);
    for (const ack of refusals) expect(ack.errors).toMatchObject([{ code: "SKADI_MODEL_HASH" }]);
    await eventually("a few more ticks", () => agent.stats().scores > 8);
    const { guard_ticks, scores, late_ticks } = agent.stats();
    expect(late_ticks).toBe(0);
    expect(guard_ticks - scores).toBeLessThanOrEqual(4);
  });
});

describe("an agent that is sent nonsense", () => {
  it("answers with a refusal and guards on", async () => {
    const { heard, agent, raw } = await rig();
    await eventually("online", () => heard.status?.length);
    const nested = `{"v":1,"deep":${"[".repeat(60_000)}${"]".repeat(60_000)}}`;
    raw(commandTopic("dc1", RACK), nested);
    raw(modelTopic("dc1"), nested);
    await eventually("two refusals", () => heard.ack?.filter((ack) => ack.ok === false).length === 2);
    const { guard_ticks } = agent.stats();
    await eventually("the next ticks", () => agent.stats().guard_ticks > guard_ticks + 2);
  });

  it("asks a sensor driver again that never answers, and cools as a precaution meanwhile", async () => {
    const { agent, setpoints, hang } = await rig({ mode: "closed_loop" });
    await eventually("samples", () => agent.stats().samples_sent > 1);
    hang();
    await eventually("the hanging reads to be counted", () => agent.stats().sensor_errors >= 2);
    await eventually("the pump to be raised", () => setpoints.pump_rpm_pct !== undefined);
  });
});

describe("an agent in advisory mode", () => {
  it("drives nothing even when the inlet is over its limit, but says what it would do", async () => {
    const { heard, values, setpoints } = await rig();
    values.inlet_c = 29;
    await eventually("advice", () => heard.action?.length);
    expect(heard.action![0]).toMatchObject({ source: "guardrail", outcome: "advised", mode: "advisory" });
    expect(heard.action![0]!.inputs).toMatchObject({ severity: "over_limit" });
    expect(setpoints).toEqual({});
  });

  it("turns to closed loop by a signed command, and back by the kill switch", async () => {
    const { heard, values, setpoints, command } = await rig();
    await eventually("online", () => heard.status?.length);
    command({ kind: "set_mode", mode: "closed_loop", kill_switch: false });
    await eventually("closed loop", () => heard.status?.at(-1)?.mode === "closed_loop");
    values.inlet_c = 29;
    await eventually("the pump to be raised", () => setpoints.pump_rpm_pct === 72);
    command({ kind: "set_mode", mode: "closed_loop", kill_switch: true });
    await eventually("advisory", () => heard.status?.at(-1)?.mode === "advisory");
  });

  it("obeys no command when it has no key to check it with", async () => {
    const { heard, command } = await rig({ trust: false });
    await eventually("online", () => heard.status?.length);
    command({ kind: "set_mode", mode: "closed_loop", kill_switch: false });
    const ack = await eventually("an answer", () => heard.ack?.at(-1));
    expect(ack).toMatchObject({ of: "command", ok: false, errors: [{ code: "SKADI_BAD_SIGNATURE" }] });
    expect(heard.status!.at(-1)!.mode).toBe("advisory");
  });
});

describe("what an operator approved, in advisory", () => {
  const approved = (target: RackTarget, value: number | null): CommandBody => ({
    kind: "setpoint",
    target,
    value,
    action_id: `approved-${target}`,
    source: "operator",
    reason: "approved",
    approved: true,
  });
  const answer = (heard: Rig["heard"], target: RackTarget) =>
    eventually("the outcome", () => heard.action?.find(({ id }) => id === `approved-${target}`));

  it("is driven once, through the same limits as everything else", async () => {
    const { heard, setpoints, command } = await rig();
    await eventually("a tick", () => heard.telemetry?.length);
    command(approved("pump_rpm_pct", 62));
    expect(await answer(heard, "pump_rpm_pct")).toMatchObject({ outcome: "applied", mode: "advisory" });
    expect(setpoints).toEqual({ pump_rpm_pct: 62 });
    command(approved("fan_rpm_pct", 500));
    expect(await answer(heard, "fan_rpm_pct")).toMatchObject({ outcome: "refused" });
    command({ ...approved("admission_pct", 85), approved: false } as CommandBody);
    expect(await answer(heard, "admission_pct")).toMatchObject({ outcome: "advised" });
    expect(setpoints).toEqual({ pump_rpm_pct: 62 });
  });

  it("must cool while the rack needs protection", async () => {
    const { heard, values, setpoints, command, push } = await rig();
    push(model, 1);
    await eventually("a score", () => heard.score?.length);
    expect(heard.score!.at(-1)).not.toHaveProperty("guarded");
    values.inlet_c = 29;
    await eventually("advice", () => heard.action?.length);
    await eventually("a score that says so", () => heard.score!.at(-1)!.guarded);
    command(approved("fan_rpm_pct", 50));
    const refused = await eventually("an answer", () => heard.ack?.find((ack) => !ack.ok));
    expect(refused).toMatchObject({ errors: [{ code: "SKADI_CONFLICT", field: "fan_rpm_pct" }] });
    command(approved("pump_rpm_pct", 65));
    expect(await answer(heard, "pump_rpm_pct")).toMatchObject({ outcome: "applied", mode: "advisory" });
    expect(setpoints).toEqual({ pump_rpm_pct: 65 });
  });

  it("is handed back, if it saved cooling, when the rack needs protection: also by the next run", async () => {
    const cache_dir = temporaryFolder();
    const setpoints: Rig["setpoints"] = {};
    const first = await rig({ cache_dir, setpoints });
    await eventually("a tick", () => first.heard.telemetry?.length);
    first.command(approved("pump_rpm_pct", 50));
    first.command(approved("admission_pct", 85));
    await answer(first.heard, "pump_rpm_pct");
    await answer(first.heard, "admission_pct");
    await first.agent.stop();
    expect(setpoints).toEqual({ pump_rpm_pct: 50, admission_pct: 85 });
    const second = await rig({ cache_dir, setpoints });
    second.values.inlet_c = 29;
    await eventually("the pump to be handed back", () => setpoints.pump_rpm_pct === null);
    const released = await eventually("the hand-back to be told", () =>
      second.heard.action?.find(({ kind }) => kind === "release"),
    );
    expect(released).toMatchObject({ target: "pump_rpm_pct", outcome: "applied", mode: "advisory" });
    // Less work is cooler than before: it stays.
    expect(setpoints.admission_pct).toBe(85);
  });

  it("like it, what was set in closed loop is handed back in advisory, when the rack needs protection", async () => {
    const { heard, values, setpoints, command } = await rig({ mode: "closed_loop" });
    await eventually("a tick", () => heard.telemetry?.length);
    command({ ...approved("fan_rpm_pct", 50), source: "optimizer", approved: false } as CommandBody);
    expect(await answer(heard, "fan_rpm_pct")).toMatchObject({ outcome: "applied", mode: "closed_loop" });
    command({ kind: "set_mode", mode: "advisory", kill_switch: false });
    await eventually("advisory", () => heard.status?.at(-1)?.mode === "advisory");
    expect(setpoints.fan_rpm_pct).toBe(50);
    values.inlet_c = 29;
    await eventually("the fan to be handed back", () => setpoints.fan_rpm_pct === null);
  });

  it("is known to have warmed the rack while the device has not answered yet", async () => {
    const cache_dir = temporaryFolder();
    const answer = Promise.withResolvers<void>();
    const { heard, command, setpoints } = await rig({ cache_dir, answer: answer.promise });
    await eventually("a tick", () => heard.telemetry?.length);
    command(approved("pump_rpm_pct", 50));
    await eventually("the pump", () => setpoints.pump_rpm_pct === 50);
    const journal = openJournal(join(cache_dir, `${RACK}.journal.db`), createLog("test", "silent"));
    onTestFinished(() => journal.close());
    await eventually("the note", () => journal.warmed().includes("pump_rpm_pct"));
    answer.resolve();
  });

  it("is refused under the kill switch", async () => {
    const { heard, setpoints, command, kill_switch_file } = await rig();
    await eventually("a tick", () => heard.telemetry?.length);
    writeFileSync(kill_switch_file, "");
    command(approved("pump_rpm_pct", 62));
    const refused = await eventually("an answer", () => heard.ack?.find((ack) => !ack.ok));
    expect(refused).toMatchObject({ errors: [{ code: "SKADI_CONFLICT", field: "pump_rpm_pct" }] });
    expect(setpoints).toEqual({});
  });
});

describe("an agent in closed loop", () => {
  it("guards its rack with the broker gone", async () => {
    const { broker, values, setpoints } = await rig({ mode: "closed_loop" });
    await broker.down();
    values.inlet_c = 28.5;
    await eventually(
      "every measure",
      () => setpoints.routing_weight_pct === 40 && setpoints.admission_pct === 70,
    );
    expect(setpoints.pump_rpm_pct).toBeGreaterThan(57);
  });

  it("takes its other measures at once while a device hangs", async () => {
    const { heard, values } = await rig({ mode: "closed_loop", pump_hangs: true });
    await eventually("online", () => heard.status?.length);
    values.inlet_c = 28.5;
    await eventually("all answers", () => (heard.action?.length ?? 0) >= 3);
    expect(heard.action!.slice(0, 3)).toMatchObject([
      { target: "admission_pct", outcome: "applied" },
      { target: "routing_weight_pct", outcome: "applied" },
      { target: "pump_rpm_pct", outcome: "refused", reason: expect.stringContaining("no answer within 5 s") },
    ]);
  });

  it("carries out a signed setpoint once, and refuses what is out of limits or too soon", async () => {
    const { heard, command, setpoints } = await rig({ mode: "closed_loop" });
    await eventually("online", () => heard.status?.length);
    const setpoint = (value: number, action_id: string) =>
      command({
        kind: "setpoint",
        target: "fan_rpm_pct",
        value,
        action_id,
        source: "operator",
        reason: "test",
      });
    setpoint(140, "too-high");
    setpoint(70, "good");
    await eventually("the fan to be set", () => setpoints.fan_rpm_pct === 70);
    setpoint(75, "too-soon");
    await eventually("all answers", () => heard.action?.length === 3);
    expect(heard.action).toMatchObject([
      { id: "too-high", outcome: "refused", kind: "manual" },
      { id: "good", outcome: "applied", to: 70 },
      {
        id: "too-soon",
        outcome: "refused",
        reason: expect.stringContaining("one action per target in 60 s"),
      },
    ]);
    expect(setpoints.fan_rpm_pct).toBe(70);
  });

  it("leaves its actuators in their fail-safe state when it stops", async () => {
    const test = await rig({ mode: "closed_loop" });
    await test.agent.stop();
    expect(test.failed_safe).toBe(true);
  });

  it("has sent a fan of unknown speed to its maximum when it says that it has stopped, and notes it as its own", async () => {
    const cache_dir = temporaryFolder();
    const { device, written } = tray({ onRead: () => new Promise(() => {}) });
    const { agent } = await rig({ mode: "closed_loop", cache_dir, device });
    await agent.stop();
    expect(written).toEqual([100]);
    const journal = openJournal(join(cache_dir, `${RACK}.journal.db`), createLog("test", "silent"));
    onTestFinished(() => journal.close());
    expect(journal.owned()).toEqual(["fan_rpm_pct"]);
  });
});

/** A fan tray that is set to 50, and what was written to it. */
function tray({ onRead = async () => {}, onWrite = async () => {} }: Record<string, () => Promise<void>>) {
  const written: (number | null)[] = [];
  const device: DriveDevice = {
    name: "tray",
    targets: ["fan_rpm_pct"],
    open: async () => {},
    async read() {
      await onRead();
      return 50;
    },
    async write(_target, value) {
      written.push(value);
      await onWrite();
    },
    close: async () => {},
  };
  return { device, written };
}

describe("a kill switch file", () => {
  it("turns the agent to advisory while it exists, and says so", async () => {
    const { heard, values, setpoints, kill_switch_file } = await rig({ mode: "closed_loop" });
    await eventually("closed loop", () => heard.status?.at(-1)?.mode === "closed_loop");
    writeFileSync(kill_switch_file, "");
    await eventually("advisory", () => heard.status?.at(-1)?.mode === "advisory");
    values.inlet_c = 29;
    await eventually("advice", () => heard.action?.length);
    expect(heard.action![0]).toMatchObject({ mode: "advisory", outcome: "advised" });
    expect(setpoints).toEqual({});
    rmSync(kill_switch_file);
    await eventually("closed loop again", () => heard.status?.at(-1)?.mode === "closed_loop");
    await eventually("the pump to be raised", () => setpoints.pump_rpm_pct);
  });

  it("stops even what was under way when it came", async () => {
    let kill = () => {};
    const test = await rig({ mode: "closed_loop", onRead: () => kill() });
    await eventually("closed loop", () => test.heard.status?.at(-1)?.mode === "closed_loop");
    kill = () => writeFileSync(test.kill_switch_file, "");
    test.values.inlet_c = 29;
    const action = await eventually("an answer for the pump", () =>
      test.heard.action?.find((a) => a.target === "pump_rpm_pct"),
    );
    expect(action).toMatchObject({
      outcome: "refused",
      reason: expect.stringContaining("no longer in closed loop"),
    });
    await test.agent.stop();
    expect(test.setpoints).toEqual({});
    expect(test.failed_safe, "not even a fail-safe").toBe(false);
  });

  it("stops the retries of a write that the device has not answered", async () => {
    const cache_dir = temporaryFolder();
    const onWrite = () => {
      writeFileSync(join(cache_dir, "kill-switch"), "");
      return new Promise<void>(() => {});
    };
    const { device, written } = tray({ onWrite });
    const { heard, command } = await rig({ mode: "closed_loop", cache_dir, device });
    await eventually("online", () => heard.status?.length);
    const fan = { target: "fan_rpm_pct", value: 60, action_id: "fan" } as const;
    command({ kind: "setpoint", ...fan, source: "operator", reason: "test" });
    const action = await eventually("an answer", () => heard.action?.find(({ id }) => id === "fan"));
    expect(action).toMatchObject({ outcome: "refused" });
    expect(action.reason).toContain("no longer in closed loop");
    expect(written).toEqual([60]);
  });

  it("stops a fail-safe that is under way", async () => {
    const cache_dir = temporaryFolder();
    let stopping = false;
    const onRead = async () => {
      if (!stopping) return;
      writeFileSync(join(cache_dir, "kill-switch"), "");
      await new Promise(() => {});
    };
    const { device, written } = tray({ onRead });
    const { agent, heard } = await rig({ mode: "closed_loop", cache_dir, device });
    await eventually("online", () => heard.status?.length);
    stopping = true;
    await agent.stop();
    // Time goes on: whatever was left to run by itself would write now.
    await delay(20_000 / SPEED);
    expect(written).toEqual([]);
  });
});

describe("the guardrail's own setpoints", () => {
  it("come from the one reading that crossed the limit, at the next tick", async () => {
    const { heard, blip, setpoints, agent } = await rig({ mode: "closed_loop" });
    await eventually("samples", () => agent.stats().samples_sent > 1);
    blip(28.2);
    await eventually("the pump to be raised", () => setpoints.pump_rpm_pct === 72);
    const action = await eventually("the action", () => heard.action?.[0]);
    const inputs = action.inputs as Record<string, number | string>;
    expect(inputs).toMatchObject({ severity: "over_limit", hottest_inlet_c: 28.2 });
    expect(inputs.inlet_c).toBeLessThan(27.5);
  });

  it("are handed back by the next run, after the calm time; what others set stays", async () => {
    const cache_dir = temporaryFolder();
    const setpoints: Rig["setpoints"] = { fan_rpm_pct: 62 };
    const first = await rig({ mode: "closed_loop", cache_dir, setpoints });
    first.values.inlet_c = 28.5;
    await eventually("every measure", () => setpoints.routing_weight_pct === 40);
    await first.agent.stop();
    expect(setpoints).toMatchObject({ pump_rpm_pct: expect.any(Number), admission_pct: 70 });

    const second = await rig({ mode: "closed_loop", cache_dir, setpoints });
    await eventually("online", () => second.heard.status?.length);
    second.command({
      kind: "setpoint",
      target: "fan_rpm_pct",
      value: 60,
      action_id: "saving",
      source: "optimizer",
      reason: "test",
    });
    const ack = await eventually("an answer", () => second.heard.ack?.find((a) => a.of === "command"));
    expect(ack).toMatchObject({ ok: false, errors: [{ code: "SKADI_CONFLICT" }] });
    await eventually(
      "all to be handed back",
      () =>
        (["pump_rpm_pct", "admission_pct", "routing_weight_pct"] as const).every(
          (t) => setpoints[t] === null,
        ),
      20_000,
    );
    expect(setpoints.fan_rpm_pct).toBe(62);
    // On a busy machine the first run may have come as far as to cap the power.
    const first_release = second.heard.action!.find(({ target }) => target !== "power_cap_kw");
    expect(first_release).toMatchObject({
      kind: "release",
      target: "routing_weight_pct",
      outcome: "applied",
    });
    await second.agent.stop();

    const third = await rig({ mode: "closed_loop", cache_dir, setpoints });
    await eventually("samples", () => third.agent.stats().samples_sent > 40);
    expect(third.heard.action).toBeUndefined();
  }, 60_000);

  it("are handed back even where the device obeyed without an answer", async () => {
    const { values, setpoints } = await rig({ mode: "closed_loop", mute: true });
    values.inlet_c = 28.5;
    await eventually("every measure", () => setpoints.routing_weight_pct && setpoints.admission_pct);
    values.inlet_c = NOMINAL_READING.inlet_c;
    await eventually(
      "all to be handed back",
      () => Object.values(setpoints).every((value) => value === null),
      20_000,
    );
  }, 40_000);

  it("are noted as its own while the device has not answered yet: the agent may die meanwhile", async () => {
    const cache_dir = temporaryFolder();
    const answer = Promise.withResolvers<void>();
    const { values, setpoints } = await rig({ mode: "closed_loop", cache_dir, answer: answer.promise });
    values.inlet_c = 28.5;
    await eventually("a measure", () => Object.keys(setpoints).length);
    const journal = openJournal(join(cache_dir, `${RACK}.journal.db`), createLog("test", "silent"));
    onTestFinished(() => journal.close());
    await eventually("the note", () =>
      Object.keys(setpoints).every((t) => journal.owned().includes(t as RackTarget)),
    );
    answer.resolve();
  });

  it("are on record with all that they rest on, under the id of the published action", async () => {
    const cache_dir = temporaryFolder();
    const { heard, values, agent } = await rig({ cache_dir });
    values.inlet_c = 29;
    const advice = await eventually("advice on routing", () =>
      heard.action?.find((a) => a.target === "routing_weight_pct"),
    );
    await agent.stop();
    const found = readDecision(join(cache_dir, `${RACK}.journal.db`), String(advice.id));
    expect(found?.ok).toBe(true);
    if (!found?.ok) return;
    const { context, state, input, intents, outcomes, sample } = found.value;
    expect(sample).toMatchObject({ rack_id: RACK, inlet_c: input.inlet_c });
    expect(guard(context, state, input).intents).toEqual(intents);
    const own = outcomes.findIndex((o) => o.action_id === advice.id);
    expect(outcomes[own]).toMatchObject({ outcome: "advised", mode: "advisory", published: true });
    expect(intents[own]).toMatchObject({ target: advice.target, value: advice.to });
  });
});
