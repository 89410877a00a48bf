import mqtt from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import { type Agent, createAgent } from "../../agent/agent.ts";
import type { SensorDriver } from "../../agent/sensors/driver.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { Command } from "../../shared/contracts/messages.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { commandTopic, keyRingTopic, modelChunkTopic, modelTopic } from "../../shared/contracts/topics.ts";
import { sealModel } from "../../shared/ims/model-file.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { signMessage } from "../../shared/signing.ts";
import { type Clock, pace, systemClock, virtualClock } from "../../shared/time.ts";
import { testBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import { NOMINAL_READING } from "../support/readings.ts";
import {
  type KeyPair,
  keyPair,
  keyRingOf,
  manifestOf,
  partsOf,
  releaseOf,
} from "../support/signed-manifests.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { missedTicks, tickLog } from "../support/tick-log.ts";

const RACK = "R-C-07";
const key = keyPair();
const first = smallModel({ seed: 1 });
const second = smallModel({ seed: 2 });

/** No device is driven here. */
const NOTHING: ActuatorDriver = {
  name: "none",
  targets: [],
  read: async () => null,
  write: async () => {},
  failSafe: async () => {},
  close: async () => {},
};

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A site's broker, as its aggregator and its agents see it. */
async function site() {
  const broker = await testBroker();
  cleanups.push(() => broker.close());
  const acks: Record<string, unknown>[] = [];
  const scores: Record<string, unknown>[] = [];
  const statuses: Record<string, unknown>[] = [];
  broker.onPublish((topic, payload) => {
    if (topic.endsWith("/ack")) acks.push(JSON.parse(payload));
    if (topic.endsWith("/score")) scores.push(JSON.parse(payload));
    if (topic.endsWith("/status")) statuses.push(JSON.parse(payload));
  });
  const publisher = await mqtt.connectAsync(broker.url, { reconnectPeriod: 50 });
  cleanups.push(() => publisher.endAsync(true));
  const retain = (topic: string, payload: Buffer | string) =>
    publisher.publishAsync(topic, payload, { qos: 1, retain: true });

  return {
    acks,
    scores,
    statuses,
    retain,
    manifest: (payload: Buffer) => retain(modelTopic("dc1"), payload),
    async inParts(model: ModelFile, chunks: number, counter: number, signer: KeyPair = key) {
      for (const [n, part] of partsOf(model, chunks).entries())
        await retain(modelChunkTopic("dc1", model.sha256, n), part);
      const changes = { release: releaseOf(model, chunks), models: [] };
      await retain(modelTopic("dc1"), manifestOf(model, counter, signer, changes));
    },
    command(counter: number, signer: KeyPair) {
      const command: Command = {
        v: 1,
        id: `command-${counter}`,
        rack_id: RACK,
        counter,
        issued_at: new Date().toISOString(),
        expires_at: new Date(Date.now() + 60_000).toISOString(),
        body: { kind: "mms_state", state: "transient" },
      };
      const payload = JSON.stringify(signMessage(command, signer.privateKey));
      return publisher.publishAsync(commandTopic("dc1", RACK), payload, { qos: 1 });
    },
    answerTo: (counter: number) =>
      eventually(`an answer to manifest ${counter}`, () =>
        acks.findLast((ack) => ack.of === "model" && ack.counter === counter),
      ),
    async agent(options: { clock: Clock; score_s?: number; cache_dir?: string }) {
      const { clock, score_s = 5 } = options;
      const config = AgentConfig.parse({
        rack_id: RACK,
        mqtt: { url: broker.url },
        loop: { sample_s: Math.min(1, score_s / 2), score_s },
        model: { cache_dir: options.cache_dir ?? temporaryFolder() },
      });
      const sensors: SensorDriver = {
        name: "test",
        open: async () => {},
        read: async () => ({ at_ms: clock.now(), values: { ...NOMINAL_READING } }),
        close: async () => {},
      };
      const { log, ticks } = tickLog();
      const agent: Agent = createAgent({
        config,
        clock,
        log,
        sensors,
        actuators: NOTHING,
        public_key: key.publicKey,
      });
      await agent.start();
      let running = true;
      const stop = async () => {
        if (running) await agent.stop();
        running = false;
      };
      cleanups.push(stop);
      return { agent, ticks, stop };
    },
  };
}

function fastClock(): Clock {
  const clock = virtualClock(Date.now());
  const stop = pace(clock, 50);
  cleanups.push(async () => stop());
  return clock;
}

describe("a model that is retained in parts", () => {
  it("reaches an agent that is there, and one that comes later", async () => {
    const { agent, inParts, answerTo, statuses } = await site();
    const early = await agent({ clock: fastClock() });
    await inParts(first, 4, 1);
    expect(await answerTo(1)).toMatchObject({ ok: true, ref: first.id });
    await early.stop();
    await agent({ clock: fastClock() });
    await eventually("the model in the status", () => statuses.at(-1)?.model_sha256 === first.sha256);
    expect(statuses.at(-1)).toMatchObject({ manifest: { counter: 1, stale: false } });
  });

  it("is taken when its parts come after the manifest", async () => {
    const { agent, manifest, retain, answerTo } = await site();
    await agent({ clock: fastClock() });
    await manifest(manifestOf(first, 1, key, { release: releaseOf(first, 2), models: [] }));
    const [one, two] = partsOf(first, 2);
    await retain(modelChunkTopic("dc1", first.sha256, 1), two!);
    await retain(modelChunkTopic("dc1", first.sha256, 0), one!);
    expect(await answerTo(1)).toMatchObject({ ok: true, ref: first.id });
  });
});

describe("the site's keys", () => {
  it("change without anybody touching the rack: for models and for commands", async () => {
    const { agent, manifest, retain, command, answerTo, acks } = await site();
    const next = keyPair();
    const answersTo = (id: string) => eventually(id, () => acks.find((ack) => ack.ref === id));
    const cache_dir = temporaryFolder();
    const { stop } = await agent({ clock: fastClock(), cache_dir });
    await retain(keyRingTopic("dc1"), keyRingOf([key, next], 1, key));
    await manifest(manifestOf(first, 1, next));
    expect(await answerTo(1)).toMatchObject({ ok: true });
    await command(1, next);
    expect(await answersTo("command-1")).toMatchObject({ ok: true });

    await retain(keyRingTopic("dc1"), keyRingOf([next], 2, next));
    await manifest(manifestOf(second, 2, key));
    expect(await answerTo(2)).toMatchObject({ ok: false, errors: [{ code: "SKADI_UNKNOWN_KEY" }] });
    await command(2, key);
    const refused = await eventually("a refusal", () => acks.find((ack) => ack.of === "command" && !ack.ok));
    expect(refused).toMatchObject({ errors: [{ code: "SKADI_BAD_SIGNATURE" }] });

    await stop();
    await agent({ clock: fastClock(), cache_dir });
    await manifest(manifestOf(second, 3, next));
    expect(await answerTo(3)).toMatchObject({ ok: true, ref: second.id });
  });
});

describe("an agent that is offered one bad model after another", () => {
  const stranger = keyPair();
  const broken = { ...second, tau_fast: 0.5 };
  const large = { ...releaseOf(second, 256), bytes: 100_000_000 };
  const bad: [code: string, payload: Buffer][] = [
    ["SKADI_BAD_SIGNATURE", manifestOf(second, 2, { ...stranger, id: key.id })],
    ["SKADI_UNKNOWN_KEY", manifestOf(second, 3, stranger)],
    ["SKADI_MANIFEST_EXPIRED", manifestOf(second, 4, key, { expires_at: "2026-01-01T00:00:00Z" })],
    ["SKADI_MODEL_HASH", manifestOf(broken, 5, key)],
    ["SKADI_MODEL_MISMATCH", manifestOf(second, 6, key, { models: [first] })],
    ["SKADI_MODEL_INCOMPLETE", manifestOf(second, 7, key, { models: [] })],
    ["SKADI_PAYLOAD_TOO_LARGE", manifestOf(second, 8, key, { release: large, models: [] })],
    ["SKADI_STALE_MESSAGE", manifestOf(second, 1, key)],
  ];

  it("says why it refuses each, and goes on scoring with what it has", async () => {
    const { agent, manifest, answerTo, acks, scores } = await site();
    const { ticks, agent: running } = await agent({ clock: fastClock() });
    await manifest(manifestOf(first, 1, key));
    await answerTo(1);
    for (const [code, payload] of bad) {
      const before = scores.length;
      await manifest(payload);
      const refused = (ack: Record<string, unknown>) =>
        ack.ok === false && (ack.errors as { code: string }[])[0]?.code === code;
      await eventually(code, () => acks.find(refused));
      await eventually("a score of the old model", () => scores.length > before + 1);
      expect(scores.at(-1)).toMatchObject({ model_id: first.id });
    }
    expect(acks.filter((ack) => ack.ok === false)).toHaveLength(bad.length);
    expect(missedTicks(ticks(), 5)).toBe(0);
    expect(running.stats()).toMatchObject({ model_swaps: 1, late_ticks: 0 });
  });
});

/** A sound model of nearly 4 MB: 1,600 clusters with a covariance each. */
function hugeModel(id: string): ModelFile {
  const { sha256: _, ...base } = smallModel({ kind: "mahalanobis", clusters: 2 });
  const clusters = Array.from({ length: 1_600 }, (_, c) => c);
  const huge = {
    ...base,
    id,
    centers: clusters.map((c) => base.centers[c % 2]!.map((x) => x + c / 1e5)),
    covariances: clusters.map((c) =>
      base.covariances![c % 2]!.map((row) => row.map((x) => x * (1 + c / 1e6))),
    ),
  };
  const scorer = createScorer({ ...huge, sha256: "" });
  const golden = base.golden.slice(0, 3).map(({ x }) => {
    const { d, cluster } = scorer.score(Float64Array.from(x));
    return { x, d, cluster };
  });
  return sealModel({ ...huge, golden });
}

describe("the guardrail", () => {
  it("misses no tick while models of 4 MB are fetched, checked, tried and swapped, or refused", async () => {
    const { agent, inParts, manifest, answerTo, scores } = await site();
    const huge = hugeModel("huge");
    expect(JSON.stringify(huge).length).toBeGreaterThan(3_000_000);
    const SCORE_S = 2;
    const test = await agent({ clock: systemClock(), score_s: SCORE_S });
    await manifest(manifestOf(first, 1, key));
    await eventually("scores", () => scores.length > 1);
    await inParts({ ...huge, sha256: second.sha256 }, 16, 2);
    expect(await answerTo(2)).toMatchObject({ ok: false, errors: [{ code: "SKADI_MODEL_HASH" }] });
    await inParts(huge, 16, 3);
    expect(await answerTo(3)).toMatchObject({ ok: true });
    const count = scores.length;
    await eventually("scores of that model", () => scores.length > count + 1);
    expect(scores.at(-1)).toMatchObject({ model_id: huge.id });
    expect(missedTicks(test.ticks(), SCORE_S)).toBe(0);
    const { late_ticks, guard_ticks, model_swaps } = test.agent.stats();
    expect({ late_ticks, model_swaps }).toEqual({ late_ticks: 0, model_swaps: 2 });
    expect(guard_ticks).toBe(test.ticks().length);
  }, 60_000);
});
