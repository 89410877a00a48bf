import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { diskOutbox } from "../../agent/uplink/disk-outbox.ts";
import { memoryOutbox } from "../../agent/uplink/outbox.ts";
import { mqttUplink } from "../../agent/uplink/uplink.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { type TestBroker, testBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import { startProgram } from "../support/program.ts";
import { NOMINAL_READING } from "../support/readings.ts";
import { temporaryFolder } from "../support/temporary.ts";

const RACK = "R-B-03";
const log = createLog("test", "silent");

async function broker(): Promise<TestBroker> {
  const started = await testBroker();
  onTestFinished(() => started.close());
  return started;
}

/** The seqs of one channel, in the order in which they reached the broker. */
function listen(to: TestBroker) {
  const seqs = { telemetry: [] as number[], score: [] as number[] };
  to.onPublish((topic, payload) => {
    const channel = topic.split("/").at(-1);
    if (channel === "telemetry" || channel === "score") seqs[channel].push(JSON.parse(payload).seq);
  });
  return seqs;
}

function uplinkTo(url: string, outbox = memoryOutbox(10_000), catch_up_per_s = 1e6) {
  const uplink = mqttUplink({
    site: "dc1",
    rack_id: RACK,
    mqtt: { url },
    outbox,
    catch_up_per_s,
    clock: systemClock(),
    log,
    status: () => "{}",
    onCommand() {},
    onModel() {},
    onKeys() {},
  });
  onTestFinished(() => uplink.stop());
  return uplink;
}

describe("an agent that is killed", () => {
  it("again and again, with the broker coming and going: every sample and score arrives, in order", async () => {
    const to = await broker();
    const heard = listen(to);
    const folder = temporaryFolder();
    const script = join(folder, "read-sensors.sh");
    writeFileSync(script, `#!/bin/sh\necho '${JSON.stringify(NOMINAL_READING)}'\n`, { mode: 0o755 });
    const model = join(folder, "model.json");
    writeModelFile(model, smallModel());
    const config = join(folder, "agent.yaml");
    const settings = {
      rack_id: RACK,
      sensors: { devices: [{ name: "script", driver: "exec", command: [script], poll_s: 0.05 }] },
      mqtt: { url: to.url },
      model: { file: model, cache_dir: folder },
      loop: { sample_s: 0.05, score_s: 0.1 },
      // Less than it makes, so that every kill meets a backlog.
      uplink: { catch_up_per_s: 10 },
    };
    writeFileSync(config, JSON.stringify(settings));
    const life = async (ms: number) => {
      const agent = startProgram("agent", ["run", "--config", config]);
      await eventually("its start", () => agent.stderr().includes("agent_started"), 20_000);
      await new Promise((resolve) => setTimeout(resolve, ms));
      agent.process.kill("SIGKILL");
      await agent.exit();
      return agent;
    };
    await life(1_500);
    await to.down();
    await life(2_000);
    await to.up();
    // In the middle of catching up.
    await life(700);
    await to.down();

    // What the last one left on disk is on it in order; the outbox of the next run sends it.
    const left = diskOutbox({
      file: join(folder, `${RACK}.outbox.db`),
      capacity: 1e6,
      bytes_max: 1e8,
      clock: systemClock(),
      log,
    });
    const { last_seq } = left;
    const waiting = left.size;
    expect(waiting).toBeGreaterThan(0);
    await to.up();
    const uplink = uplinkTo(to.url, left);
    uplink.start();
    await eventually("the rest", () => left.size === 0, 15_000);
    left.close();

    const inOrder = (seqs: number[]) => [...new Set(seqs)].sort((a, b) => a - b);
    const samples = inOrder(heard.telemetry);
    const scores = new Set(heard.score);
    expect([...new Set(heard.telemetry)]).toEqual(samples);
    expect([...scores]).toEqual(inOrder(heard.score));
    // Numbers run without a gap within a life, and jump to the wall clock's milliseconds at the start of the next.
    const ends = samples.filter((seq, i) => samples[i + 1] !== seq + 1);
    expect(ends).toHaveLength(3);
    expect(samples.at(-1)).toBe(last_seq);
    // A kill may fall between a sample and its score, which then was never written.
    expect(samples.filter((seq) => !scores.has(seq) && !ends.includes(seq))).toEqual([]);
  }, 90_000);
});

describe("the uplink", () => {
  it("sends a decision before a backlog, and the backlog at its rate", async () => {
    const to = await broker();
    const order: string[] = [];
    to.onPublish((topic) => order.push(topic.split("/").at(-1)!));
    const outbox = memoryOutbox(10_000);
    const uplink = uplinkTo(to.url, outbox, 40);
    for (let seq = 1; seq <= 500; seq++) uplink.send("telemetry", { seq });
    uplink.send("action", { id: "alarm" });
    uplink.start();
    await eventually("the alarm and some telemetry", () => order.length > 5);
    expect(order.slice(0, 2)).toEqual(["status", "action"]);
    uplink.send("action", { id: "second" });
    await eventually("the second alarm", () => order.filter((c) => c === "action").length === 2);
    expect(outbox.size).toBeGreaterThan(250);
  });

  it("repeats after a lost connection what was not acknowledged, in order and before anything newer", async () => {
    const to = await broker();
    const heard = listen(to);
    const outbox = memoryOutbox(10_000);
    const uplink = uplinkTo(to.url, outbox, 2_000);
    uplink.start();
    let seq = 0;
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 400; i++) uplink.send("telemetry", { seq: ++seq });
      await eventually("some to arrive", () => heard.telemetry.length > 0 && outbox.size < 400);
      await to.down();
      await to.up();
    }
    await eventually("everything", () => outbox.size === 0, 15_000);
    const unique = [...new Set(heard.telemetry)];
    expect(unique).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
  }, 30_000);
});
