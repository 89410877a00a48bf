import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelManifest } from "../../shared/contracts/manifest.ts";
import type { Ack } from "../../shared/contracts/messages.ts";
import type { Score } from "../../shared/contracts/score.ts";
import { commandTopic, modelTopic, simulatorCommandTopic } from "../../shared/contracts/topics.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { SITE, sample, type TestSite, testSite, topicOf } from "./aggregator-harness.ts";

describe("the embedded broker", () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  });
  afterAll(() => site.close());

  it.each([
    ["commands", commandTopic(SITE, "R-A-01")],
    ["models", modelTopic(SITE)],
    ["simulator commands", simulatorCommandTopic(SITE)],
  ])("lets nobody but the token's holder publish %s", async (_what, topic) => {
    const anonymous = await site.mqtt();
    const trusted = await site.mqtt({ username: "skadi", password: site.aggregator.api_token });
    const before = site.aggregator.counters().refused_publishes;
    await anonymous.publish(topic, { forged: true });
    expect(site.aggregator.counters().refused_publishes).toBe(before + 1);
    await trusted.publish(topic, { genuine: true });
    await anonymous.received<{ genuine?: boolean }>(topic, (message) => message.genuine === true);
    expect(anonymous.all(topic)).not.toContainEqual({ forged: true });
    expect(anonymous.client.connected).toBe(true);
  });

  it("closes the door on a wrong token, without harm to anybody else", async () => {
    const wrong = mqtt.connectAsync(site.aggregator.mqtt_url, {
      username: "skadi",
      password: "guess",
      reconnectPeriod: 0,
    });
    await expect(wrong).rejects.toThrow(/Bad username or password/i);
    expect((await site.get("/health")).body.status).toBe("ok");
  });

  it("does not let a retained forgery lie in wait", async () => {
    const anonymous = await site.mqtt();
    await anonymous.publish(commandTopic(SITE, "R-A-09"), { forged: true }, true);
    const late = await site.mqtt({ topics: [commandTopic(SITE, "R-A-09"), topicOf("R-A-09", "score")] });
    await late.publish(topicOf("R-A-09", "telemetry"), sample("R-A-09"));
    await late.received(topicOf("R-A-09", "score"));
    expect(late.all(commandTopic(SITE, "R-A-09"))).toHaveLength(0);
  });

  it("keeps nothing for a subscriber that has gone away, whatever it asked for", async () => {
    const { mqtt_url, api_token } = site.aggregator;
    const away = { clientId: "notebook", clean: false, reconnectPeriod: 0, protocolVersion: 4 } as const;
    for (const login of [{}, { username: "skadi", password: api_token }]) {
      const first = await mqtt.connectAsync(mqtt_url, { ...away, ...login });
      await first.subscribeAsync("skadi/#", { qos: 1 });
      await first.endAsync();
      const sender = await site.mqtt({ topics: [] });
      await sender.publish(topicOf("R-A-04", "telemetry"), sample("R-A-04"));
      const heard: string[] = [];
      const back = mqtt.connect(mqtt_url, { ...away, ...login });
      back.on("message", (topic) => heard.push(topic));
      const connack = await new Promise<{ sessionPresent: boolean }>((resolve) =>
        back.once("connect", resolve),
      );
      await back.subscribeAsync("x/after", { qos: 1 });
      await sender.publish("x/after", { done: true });
      await eventually("the message that follows", () => heard.includes("x/after"));
      expect([connack.sessionPresent, heard]).toEqual([false, ["x/after"]]);
      await back.endAsync();
    }
  });

  it("refuses a message beyond every use, says why, and goes on", async () => {
    const client = await site.mqtt();
    await client.publish(topicOf("R-A-02", "telemetry"), Buffer.alloc(6_000_000, 65));
    const ack = await client.received<Ack>(topicOf("R-A-02", "ack"));
    expect(ack.errors[0]?.code).toBe("SKADI_PAYLOAD_TOO_LARGE");
    await client.publish(topicOf("R-A-02", "telemetry"), sample("R-A-02"));
    await client.received(topicOf("R-A-02", "score"));
  });

  it("survives 5,000 bad messages at once, of which it counts every one", async () => {
    const client = await site.mqtt({ topics: [] });
    const before = site.aggregator.counters().rejected_total;
    for (let i = 0; i < 5_000; i++) client.client.publish(topicOf("R-A-03", "telemetry"), "{}", { qos: 0 });
    await eventually(
      "all of them",
      () => site.aggregator.counters().rejected_total === before + 5_000,
      60_000,
    );
    expect((await site.post("/telemetry", sample("R-A-03"))).body.accepted).toBe(1);
  }, 90_000);

  it("retains small messages of strangers, and only so many", async () => {
    const stranger = await site.mqtt({ topics: [] });
    const before = site.aggregator.counters().refused_publishes;
    await stranger.publish("x/large", Buffer.alloc(20_000, 65), true);
    expect(site.aggregator.counters().refused_publishes).toBe(before + 1);
    const trusted = await site.mqtt({ username: "skadi", password: site.aggregator.api_token, topics: [] });
    await trusted.publish("x/large", Buffer.alloc(20_000, 65), true);
    for (let i = 0; i < 5_000; i++) stranger.client.publish(`x/${i}`, "1", { qos: 0, retain: true });
    await stranger.publish("x/one-too-many", { n: 1 }, true);
    await eventually("a refusal", () => site.aggregator.counters().refused_publishes >= before + 2);
    await stranger.publish("x/7", { n: 2 }, true);
    const late = await site.mqtt({ topics: ["x/7", "x/large", "x/one-too-many"] });
    await late.received("x/7", (message: { n?: number }) => message.n === 2);
    await late.received("x/large", () => true);
    expect(late.all("x/one-too-many")).toEqual([]);
    for (let i = 0; i < 5_000; i++) stranger.client.publish(`x/${i}`, "", { qos: 0, retain: true });
    await stranger.publish("x/one-too-many", { n: 3 }, true);
    const later = await site.mqtt({ topics: ["x/one-too-many"] });
    await later.received("x/one-too-many", (message: { n?: number }) => message.n === 3);
  });
});

describe.skipIf(!hasProgram("mosquitto"))("another broker (mosquitto)", () => {
  let broker: ChildProcess;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `mqtt://127.0.0.1:${port}`;
    broker = spawn("mosquitto", ["-p", String(port)], {
      stdio: "ignore",
      env: { PATH: "/usr/sbin:/usr/bin" },
    });
    const probe = await eventually("mosquitto", () => mqtt.connectAsync(url, { reconnectPeriod: 0 }, false));
    await probe.endAsync();
  });
  afterAll(() => {
    broker.kill();
  });

  it("serves as well; what arrives while the aggregator is away is handled when it is back", async () => {
    const site = await testSite({ config: { broker: { embedded: false, external: { url } } } });
    const client = await site.mqtt();
    await client.publish(topicOf("R-A-01", "telemetry"), sample("R-A-01", { seq: 1 }));
    expect(await client.received<Score>(topicOf("R-A-01", "score"))).toMatchObject({ seq: 1 });
    const manifest = await client.received<ModelManifest>(modelTopic(SITE));

    await site.aggregator.stop();
    await client.publish(topicOf("R-A-01", "telemetry"), sample("R-A-01", { seq: 2 }));
    await site.aggregator.start();
    expect(await client.received<Score>(topicOf("R-A-01", "score"), (s) => s.seq === 2)).toMatchObject({
      seq: 2,
    });
    // Issued again, since nobody knows what became of the one before.
    const again = await client.received<ModelManifest>(
      modelTopic(SITE),
      ({ counter }) => counter > manifest.counter,
    );
    expect(again.release).toEqual(manifest.release);
    expect((await site.get("/ims/models")).body.active).toBe(manifest.release.model_id);
    await site.close();
  });
});

it("a port that is taken is a configuration error that names it, and leaves nothing running", async () => {
  const blocker = createServer();
  const port = await new Promise<number>((resolve) =>
    blocker.listen(0, "127.0.0.1", () => resolve(portOf(blocker))),
  );
  await expect(testSite({ config: { broker: { port } } })).rejects.toThrow(/broker\.port/);
  await expect(testSite({ config: { http: { port } } })).rejects.toThrow(/http\.port/);
  blocker.close();
});

function portOf(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(portOf(server))),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}
