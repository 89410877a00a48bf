import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { agentStatus, HOT, sample, testSite, topicOf } from "../integration/aggregator-harness.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { freeTcpPort } from "../support/ports.ts";
import { startProgram } from "../support/program.ts";
import { decodeSparkplug, rebirthCommand } from "../support/sparkplug.ts";
import { temporaryFolder } from "../support/temporary.ts";

const TWO_RACKS = { rows: ["A"], racks_per_row: 2 };

describe.runIf(hasProgram("mosquitto"))("Home Assistant's discovery on a real broker", () => {
  const broker = (url: string) => ({ embedded: false, external: { url } });

  it("is retained, and its states follow MMS and the site", async () => {
    const { url, client, heard } = await startMosquitto();
    const config = (enabled: boolean) => ({
      ...TWO_RACKS,
      broker: broker(url),
      outputs: { home_assistant: { enabled, interval_s: 0.2 } },
      mms: { ticks: 2 },
    });
    const site = await testSite({ config: config(true) });
    await site.post("/telemetry", sample("R-A-01"));
    await client.subscribeAsync("homeassistant/#");
    const config_topics = () =>
      new Set(
        heard.filter(({ topic, retain }) => retain && topic.endsWith("/config")).map(({ topic }) => topic),
      );
    await eventually("two racks and the site are known", () => config_topics().size === 2 * 10 + 6);
    const state = "homeassistant/sensor/skadi_dc1/state";
    await eventually("the site's figures come", () =>
      heard.some(({ topic, payload }) => topic === state && JSON.parse(payload.toString()).pdu_kw === 8),
    );
    for (let i = 0; i < 12; i++) {
      await site.post("/telemetry", {
        ...sample("R-A-01", HOT),
        ts: new Date(Date.now() + i * 5_000).toISOString(),
      });
    }
    const problem = "homeassistant/binary_sensor/skadi_dc1_R-A-01/state";
    await eventually("the rack is persistent", () =>
      heard.some(({ topic, payload }) => topic === problem && JSON.parse(payload.toString()).persistent),
    );
    await site.close();
  });

  it("leaves nothing behind when it is switched off", async () => {
    const { url, client, heard } = await startMosquitto();
    const folder = temporaryFolder();
    const run = async (enabled: boolean) => {
      const config = join(folder, "aggregator.yaml");
      const http_port = await freeTcpPort();
      const outputs = { home_assistant: { enabled } };
      const settings = { data_dir: folder, ...TWO_RACKS, broker: broker(url), outputs };
      writeFileSync(config, JSON.stringify({ ...settings, http: { port: http_port } }));
      const program = startProgram("aggregator", ["run", "--config", config]);
      await program.says(/dashboard/);
      program.process.kill("SIGTERM");
      await program.exit();
    };
    await run(true);
    await run(false);
    await client.subscribeAsync("homeassistant/#");
    await client.publishAsync("homeassistant/end", "", { qos: 1 });
    await eventually("all that is retained has come", () =>
      heard.some(({ topic }) => topic.endsWith("/end")),
    );
    expect(heard.filter(({ retain }) => retain)).toEqual([]);
  }, 60_000);
});

describe.runIf(hasProgram("mosquitto") && hasProgram("protoc"))(
  "a Sparkplug edge node on a real broker",
  () => {
    const NODE = "spBv1.0/skadi";

    async function sparkplugSite() {
      const { url, client, heard } = await startMosquitto(["spBv1.0/#"]);
      const outputs = { sparkplug: { enabled: true, url, interval_s: 0.1 } };
      const site = await testSite({ config: { ...TWO_RACKS, outputs } });
      let closed = false;
      const close = async () => {
        if (!closed) await site.close();
        closed = true;
      };
      onTestFinished(close);
      const decoded = (kind: string, device = "") => {
        const topic = `${NODE}/${kind}/dc1${device && `/${device}`}`;
        return heard.filter((one) => one.topic === topic).map(({ payload }) => decodeSparkplug(payload));
      };
      return { site, client, heard, decoded, close };
    }

    it("is born, bears its racks, tells what changes and nothing else, and lets them die", async () => {
      const { site, heard, decoded, close } = await sparkplugSite();
      const birth = await eventually("the node's birth", () => decoded("NBIRTH")[0]);
      expect(birth).toMatchObject({ seq: 0 });
      expect(birth.value("bdSeq")).toBe("0");
      expect(birth.value("Node Control/Rebirth")).toBe("false");

      const agent = await site.mqtt();
      await agent.publish(topicOf("R-A-01", "status"), agentStatus("R-A-01", "online"), true);
      await eventually("the rack's birth", () => decoded("DBIRTH", "R-A-01").length === 1);
      await agent.publish(topicOf("R-A-01", "telemetry"), sample("R-A-01"));
      await eventually("its telemetry", () =>
        decoded("DDATA", "R-A-01").some((data) => data.value("Telemetry/inlet_c") === "22.5"),
      );
      await agent.publish(topicOf("R-A-01", "telemetry"), { ...sample("R-A-01"), inlet_c: 23.5 });
      const changed = await eventually("what changed", () =>
        decoded("DDATA", "R-A-01").find((data) => data.value("Telemetry/inlet_c") === "23.5"),
      );
      expect(changed.metrics.map(({ name }) => name).filter((name) => name.startsWith("Telemetry/"))).toEqual(
        ["Telemetry/inlet_c"],
      );
      // The other rack was never heard of, until it is, and then is no more.
      expect(heard.some(({ topic }) => topic.includes("R-A-02"))).toBe(false);
      await agent.publish(topicOf("R-A-02", "status"), agentStatus("R-A-02", "online"), true);
      await eventually("the other rack's birth", () => decoded("DBIRTH", "R-A-02").length === 1);
      await agent.publish(topicOf("R-A-02", "status"), agentStatus("R-A-02", "offline"), true);
      await eventually("its death", () => decoded("DDEATH", "R-A-02").length === 1);
      expect(decoded("DDEATH", "R-A-01")).toEqual([]);

      await close();
      await eventually("the node's death", () => decoded("NDEATH").length > 0);
      expect(decoded("NDEATH")[0]!.value("bdSeq")).toBe("0");
      const numbers = heard
        .filter(({ topic }) => !topic.includes("/NDEATH/"))
        .map(({ payload }) => decodeSparkplug(payload).seq);
      expect(numbers).toEqual(numbers.map((_, i) => i % 256));
    }, 60_000);

    it("is born again when a host asks for it", async () => {
      const { client, decoded } = await sparkplugSite();
      await eventually("the node's birth", () => decoded("NBIRTH").length === 1);
      // More often than once in a second would be a flood.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await client.publishAsync(`${NODE}/NCMD/dc1`, rebirthCommand(), { qos: 1 });
      await eventually("another birth", () => decoded("NBIRTH").length === 2);
      expect(decoded("NBIRTH")[1]).toMatchObject({ seq: 0 });
    });

    it("that is killed is declared dead by the broker, with the number of its birth, and counts on", async () => {
      const { url, heard } = await startMosquitto(["spBv1.0/#"]);
      const folder = temporaryFolder();
      const config = join(folder, "aggregator.yaml");
      const run = async () => {
        const ports = { http: { port: await freeTcpPort() }, broker: { port: await freeTcpPort() } };
        const outputs = { sparkplug: { enabled: true, url } };
        writeFileSync(config, JSON.stringify({ data_dir: folder, ...TWO_RACKS, ...ports, outputs }));
        return startProgram("aggregator", ["run", "--config", config]);
      };
      const numbers = (kind: string) =>
        heard
          .filter(({ topic }) => topic === `${NODE}/${kind}/dc1`)
          .map(({ payload }) => decodeSparkplug(payload).value("bdSeq"));
      const first = await run();
      await eventually("its birth", () => numbers("NBIRTH").length === 1, 30_000);
      // What it counts with must have reached the disk, as it does within a moment.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      first.process.kill("SIGKILL");
      await eventually("its death", () => numbers("NDEATH").length === 1);
      await run();
      await eventually("its next birth", () => numbers("NBIRTH").length === 2, 30_000);
      expect(numbers("NBIRTH")).toEqual(["0", "1"]);
      expect(numbers("NDEATH")).toEqual(["0"]);
    }, 90_000);
  },
);

it("nothing of the kind is published by default", async () => {
  const site = await testSite({ config: TWO_RACKS });
  onTestFinished(() => site.close());
  const { client } = await site.mqtt({ topics: ["homeassistant/#", "spBv1.0/#"] });
  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  await site.post("/telemetry", sample("R-A-01"));
  await client.publishAsync("homeassistant/end", "", { qos: 1 });
  await eventually("the end", () => heard.length > 0);
  expect(heard).toEqual(["homeassistant/end"]);
});
