import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import { startProgram } from "../support/program.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";
import { temporaryFolder } from "../support/temporary.ts";

const model = smallModel();
const SAMPLE = {
  v: 1,
  rack_id: "R-C-07",
  ...NOMINAL_SAMPLE,
};
let second = 0;
const sample = (changes: object = {}) => {
  second++;
  return JSON.stringify({
    ...SAMPLE,
    ts: new Date(Date.UTC(2026, 0, 1) + second * 5_000).toISOString(),
    ...changes,
  });
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

/** An aggregator as an operator runs it, with a model in its data directory. */
async function startAggregator(broker: Record<string, unknown>) {
  const data_dir = temporaryFolder();
  mkdirSync(join(data_dir, "models"));
  writeModelFile(join(data_dir, "models", `${model.id}.json`), model);
  const http_port = await freePort();
  const config = join(data_dir, "aggregator.yaml");
  writeFileSync(config, JSON.stringify({ data_dir, http: { port: http_port }, broker }));
  const program = startProgram("aggregator", ["run", "--config", config]);
  const url = `http://127.0.0.1:${http_port}`;
  await eventually("the aggregator is healthy", async () => (await fetch(`${url}/health`)).ok, 20_000);
  return { program, url };
}

/** The real client, subscribed; its lines as they come. */
function subscribe(port: number, topic: string): { lines: () => string[] } {
  const child = spawn("mosquitto_sub", ["-p", String(port), "-q", "1", "-t", topic, "-F", "%t %p"]);
  onTestFinished(() => {
    child.kill();
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return { lines: () => text.split("\n").filter(Boolean) };
}

function publish(port: number, topic: string, payload: string): void {
  execFileSync("mosquitto_pub", ["-p", String(port), "-q", "1", "-t", topic, "-s"], { input: payload });
}

async function startMosquitto(): Promise<number> {
  const port = await freePort();
  const config = join(temporaryFolder(), "mosquitto.conf");
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  const child = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
  onTestFinished(() => {
    child.kill();
  });
  await eventually("mosquitto listens", () => {
    execFileSync("mosquitto_pub", ["-p", String(port), "-t", "probe", "-m", "x"], { stdio: "ignore" });
    return true;
  });
  return port;
}

const BROKERS = [
  { name: "the embedded broker", needs: [], external: false },
  { name: "a mosquitto broker", needs: ["mosquitto"], external: true },
];

describe.each(BROKERS)("through $name, mosquitto_pub and mosquitto_sub", ({ needs, external }) => {
  const test = it.skipIf(!["mosquitto_pub", ...needs].every(hasProgram));
  const start = async () => {
    const port = external ? await startMosquitto() : await freePort();
    const external_broker = { embedded: false, external: { url: `mqtt://127.0.0.1:${port}` } };
    const { program, url } = await startAggregator(external ? external_broker : { port });
    return { port, program, url };
  };

  test("feed a rack and see its score", async () => {
    const { port } = await start();
    const scores = subscribe(port, "skadi/v1/dc1/+/score");
    const score = await eventually("a score", () => {
      publish(port, "skadi/v1/dc1/R-C-07/telemetry", sample());
      return scores.lines().at(-1);
    });
    expect(score).toMatch(/^skadi\/v1\/dc1\/R-C-07\/score /);
    const payload = JSON.parse(score.slice(score.indexOf("{")));
    expect(payload).toMatchObject({
      rack_id: "R-C-07",
      model_id: model.id,
      scored_by: "aggregator",
      state: "nominal",
    });
    const shares: number[] = Object.values(payload.contributions);
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  });

  test("get a structured rejection for every kind of bad payload, and nothing stops", async () => {
    const { port, url } = await start();
    const acks = subscribe(port, "skadi/v1/dc1/+/ack");
    const scores = subscribe(port, "skadi/v1/dc1/+/score");
    const topic = "skadi/v1/dc1/R-C-07/telemetry";
    await eventually("the subscriptions to be active", () => {
      publish(port, topic, "[]");
      publish(port, topic, sample());
      return acks.lines().length > 0 && scores.lines().length > 0;
    });
    const bad: [payload: string, code: string, field: string, topic?: string][] = [
      ['{"v":1,', "SKADI_MALFORMED_JSON", "(payload)"],
      [sample({ inlet_c: "warm" }), "SKADI_INVALID_FIELD", "inlet_c"],
      [sample().replace("22.5", "NaN"), "SKADI_NOT_FINITE", "inlet_c"],
      [sample({ rack_id: "R-Z-01" }), "SKADI_UNKNOWN_RACK", "rack_id", "skadi/v1/dc1/R-Z-01/telemetry"],
      [sample({ rack_id: "R-C-08" }), "SKADI_RACK_MISMATCH", "rack_id"],
      [sample({ note: "x".repeat(1024 * 1024) }), "SKADI_PAYLOAD_TOO_LARGE", "(payload)"],
      [sample({ v: 2 }), "SKADI_UNSUPPORTED_VERSION", "v"],
    ];
    for (const [payload, code, field, other_topic] of bad) {
      publish(port, other_topic ?? topic, payload);
      const expected = { of: "telemetry", ok: false, errors: [{ code, field, message: expect.any(String) }] };
      const ack_topic = (other_topic ?? topic).replace("telemetry", "ack");
      await eventually(`the rejection ${code} on ${ack_topic}`, () => {
        const bodies = acks.lines().filter((line) => line.startsWith(`${ack_topic} `));
        expect(bodies.map((line) => JSON.parse(line.slice(line.indexOf("{"))))).toContainEqual(
          expect.objectContaining({ ...expected, errors: [expect.objectContaining(expected.errors[0]!)] }),
        );
        return true;
      });
    }
    const health = (await (await fetch(`${url}/health`)).json()) as {
      counters: { rejected: Record<string, number> };
    };
    for (const [, code] of bad) expect(health.counters.rejected[code]).toBeGreaterThanOrEqual(1);
    const before = scores.lines().length;
    publish(port, topic, sample());
    await eventually("the next good sample to be scored", () => scores.lines().length > before);
  });
});
