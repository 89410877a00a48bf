import { execFile, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { sensorDriver } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { MeasuredField } from "../../shared/contracts/telemetry.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { type TestBroker, testBroker } from "../support/broker.ts";
import { selfSigned } from "../support/certificate.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { freeTcpPort } from "../support/ports.ts";
import { temporaryFolder } from "../support/temporary.ts";

const log = createLog("test", "silent");
const clock = systemClock();

async function broker(): Promise<TestBroker> {
  const real = await testBroker();
  onTestFinished(() => real.close());
  return real;
}

/** The agent's sensors over one broker, looked at every 50 ms. */
async function sensorsOf(url: string, points: object[], changes: object = {}) {
  const device = { name: "bms", driver: "mqtt", url, poll_s: 0.05, every_s: 5, points, ...changes };
  const { sensors } = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices: [device] } });
  const driver = sensorDriver(sensors, clock, log);
  onTestFinished(() => driver.close());
  await driver.open();
  const field = async (name: MeasuredField) => {
    const { values, quality } = await driver.read();
    return { value: values[name], quality: quality?.[name] };
  };
  const becomes = (name: MeasuredField, value: number | null, quality?: string) =>
    eventually(`${name} is ${value} (${quality})`, async () => {
      const now = await field(name);
      const same = value === null ? now.value === null : Math.abs((now.value ?? Number.NaN) - value) < 1e-9;
      return same && now.quality === quality;
    });
  return { field, becomes };
}

async function publish(port: number, topic: string, message: string, ...more: string[]) {
  const args = ["-p", String(port), "-q", "1", "-t", topic, "-m", message, ...more];
  await promisify(execFile)("mosquitto_pub", args);
}

describe.skipIf(!hasProgram("mosquitto_pub"))("readings that others publish", () => {
  it("arrive as plain numbers or out of JSON, of which one message may feed several fields", async () => {
    const { url, port } = await broker();
    const { becomes } = await sensorsOf(url, [
      { field: "inlet_c", topic: "rack/7/inlet" },
      { field: "pdu_kw", topic: "rack/7/pdu", pointer: "/outlets/0/power", unit: "watt" },
      { field: "fan_rpm_pct", topic: "rack/7/pdu", pointer: "/fan~1share", unit: "ratio" },
    ]);
    await publish(port, "rack/7/inlet", " 23.5\n");
    await publish(port, "rack/7/pdu", '{"outlets":[{"power":"8120"}],"fan/share":0.65}');
    await becomes("inlet_c", 23.5);
    await becomes("pdu_kw", 8.12);
    await becomes("fan_rpm_pct", 65);
  });

  it("on several topics count together, and one that falls silent or talks nonsense is missed", async () => {
    const { url, port } = await broker();
    const points = [{ field: "pdu_kw", topic: "pdu/+/power", unit: "watt" }];
    const { becomes } = await sensorsOf(url, points, { stale_after_s: 1.5 });
    const feed = setInterval(() => void publish(port, "pdu/b/power", "4100"), 300);
    onTestFinished(() => clearInterval(feed));
    await publish(port, "pdu/a/power", "4000");
    await becomes("pdu_kw", 8.1);
    await publish(port, "pdu/a/power", "out of order");
    await becomes("pdu_kw", null);
    await publish(port, "pdu/a/power", "4000");
    await becomes("pdu_kw", 8.1);
    await becomes("pdu_kw", null);
  });

  it("that the broker retained are in doubt until the publisher speaks itself", async () => {
    const { url, port } = await broker();
    await publish(port, "rack/7/inlet", "21", "-r");
    const { field, becomes } = await sensorsOf(url, [{ field: "inlet_c", topic: "rack/7/inlet" }]);
    expect(await field("inlet_c")).toEqual({ value: 21, quality: "suspect" });
    await publish(port, "rack/7/inlet", "22", "-r");
    await becomes("inlet_c", 22);
  });

  it("are good between two messages, stale when one is overdue, and then missing", async () => {
    const { url, port } = await broker();
    const changes = { every_s: 0.6, timeout_s: 0.3 };
    const { becomes } = await sensorsOf(url, [{ field: "inlet_c", topic: "rack/7/inlet" }], changes);
    await publish(port, "rack/7/inlet", "22");
    await becomes("inlet_c", 22);
    await becomes("inlet_c", 22, "stale");
    await becomes("inlet_c", null);
  });

  it("outlive a broker that is away for a moment, and come back with it by themselves", async () => {
    const real = await broker();
    const changes = { stale_after_s: 2 };
    const { field, becomes } = await sensorsOf(
      real.url,
      [{ field: "inlet_c", topic: "rack/7/inlet" }],
      changes,
    );
    await publish(real.port, "rack/7/inlet", "22");
    await becomes("inlet_c", 22);
    await real.down();
    expect((await field("inlet_c")).value).toBe(22);
    await becomes("inlet_c", null);
    await real.up();
    await eventually("a new reading arrives", async () => {
      await publish(real.port, "rack/7/inlet", "24");
      return (await field("inlet_c")).value === 24;
    });
  });

  it("wait for a broker that is not up yet", async () => {
    const real = await broker();
    await real.down();
    const { field } = await sensorsOf(real.url, [{ field: "inlet_c", topic: "rack/7/inlet" }]);
    expect((await field("inlet_c")).value).toBeNull();
    await real.up();
    await eventually("a reading arrives", async () => {
      await publish(real.port, "rack/7/inlet", "24");
      return (await field("inlet_c")).value === 24;
    });
  });

  it("of a counter become its rate, which holds until the next message", async () => {
    const { url } = await broker();
    const points = [{ field: "tokens_ps", topic: "serving/tokens", unit: "total" }];
    const { field } = await sensorsOf(url, points);
    const client = await mqtt.connectAsync(url);
    onTestFinished(() => client.endAsync());
    let tokens = 0;
    const publisher = setInterval(() => {
      tokens += 100;
      client.publish("serving/tokens", String(tokens));
    }, 200);
    await eventually("a rate of about 500/s", async () => {
      const { value } = await field("tokens_ps");
      return value !== null && value > 300 && value < 800;
    });
    clearInterval(publisher);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const { value } = await field("tokens_ps");
    expect(value).toBeGreaterThan(300);
  });
});

describe.skipIf(!["mosquitto", "mosquitto_passwd", "openssl"].every(hasProgram))(
  "a broker behind TLS",
  () => {
    /** A mosquitto that wants a user and a password, with a certificate that no system trusts. */
    async function secureBroker() {
      const folder = temporaryFolder();
      const { cert_file, key_file } = selfSigned(folder);
      const [passwords, config] = [join(folder, "passwords"), join(folder, "broker.conf")];
      execFileSync("mosquitto_passwd", ["-b", "-c", passwords, "skadi", "s3cret"]);
      const port = await freeTcpPort();
      const lines = [
        `listener ${port} 127.0.0.1`,
        `keyfile ${key_file}`,
        `certfile ${cert_file}`,
        `password_file ${passwords}`,
        "allow_anonymous false",
        ...(process.getuid?.() === 0 ? ["user root"] : []),
      ];
      writeFileSync(config, `${lines.join("\n")}\n`);
      const child = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
      onTestFinished(() => {
        child.kill();
      });
      const send = (message: string) => {
        const login = ["-h", "localhost", "--cafile", cert_file, "-u", "skadi", "-P", "s3cret"];
        return publish(port, "rack/7/inlet", message, ...login);
      };
      await eventually("the broker takes messages", async () => {
        await send("1");
        return true;
      });
      return { url: `mqtts://localhost:${port}`, cert_file, folder, send };
    }
    const points = [{ field: "inlet_c", topic: "rack/7/inlet" }];

    it("is read with its certificate and a password out of a file", async () => {
      const { url, cert_file, folder, send } = await secureBroker();
      writeFileSync(join(folder, "password"), "s3cret\n");
      const login = { username: "skadi", password: { file: join(folder, "password") }, ca_file: cert_file };
      const { becomes } = await sensorsOf(url, points, login);
      await send("23");
      await becomes("inlet_c", 23);
    });

    it("is not believed without the certificate, nor does it let in a wrong password", async () => {
      const { url, cert_file, send } = await secureBroker();
      const untrusting = await sensorsOf(url, points, { username: "skadi", password: "s3cret" });
      const wrong = await sensorsOf(url, points, {
        username: "skadi",
        password: "guess",
        ca_file: cert_file,
      });
      await send("23");
      expect((await untrusting.field("inlet_c")).value).toBeNull();
      expect((await wrong.field("inlet_c")).value).toBeNull();
    });
  },
);
