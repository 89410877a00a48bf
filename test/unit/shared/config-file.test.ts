import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { loadConfig } from "../../../shared/config-file.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { AggregatorConfig, SimConfig } from "../../../shared/contracts/config.ts";
import { SkadiError } from "../../../shared/errors.ts";
import { temporaryFolder } from "../../support/temporary.ts";

function file(text: string): string {
  const path = join(temporaryFolder(), "config.yaml");
  writeFileSync(path, text);
  return path;
}

function refusal(run: () => unknown): SkadiError {
  try {
    run();
  } catch (error) {
    if (error instanceof SkadiError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a configuration", () => {
  it("of an agent drives nothing unless told to", () => {
    expect(loadConfig(AgentConfig, { env: {}, overrides: { rack_id: "R-A-01" } }).mode).toBe("advisory");
    expect(loadConfig(AggregatorConfig, { env: {} }).mode).toBe("advisory");
  });

  it("is read from YAML, overridden by SKADI_ variables, overridden by the command line", () => {
    const path = file("rack_id: R-B-02\nmqtt:\n  url: mqtt://file:1883\nloop:\n  sample_s: 2\n");
    const env = {
      SKADI_MQTT_URL: "mqtt://env:1883",
      SKADI_LOOP_SCORE_S: "10",
      SKADI_MQTT_PASSWORD: "s3cret",
    };
    const config = loadConfig(AgentConfig, { file: path, env, overrides: { site: "dc9" } });
    expect(config).toMatchObject({ rack_id: "R-B-02", site: "dc9", loop: { sample_s: 2, score_s: 10 } });
    expect(config.mqtt).toEqual({ url: "mqtt://env:1883", password: "s3cret" });
  });

  it("names every wrong field at once", () => {
    const path = file("rack_id: seven\nmode: reckless\nloop:\n  sample_s: -1\nfan: 3\n");
    const fields = refusal(() => loadConfig(AgentConfig, { file: path, env: {} })).rejections.map(
      (r) => r.field,
    );
    expect(fields).toEqual(expect.arrayContaining(["rack_id", "mode", "loop.sample_s"]));
    expect(refusal(() => loadConfig(AgentConfig, { file: path, env: {} })).message).toContain("fan");
  });

  it("does not repeat a credential that is in the wrong place or of the wrong kind", () => {
    const path = file(`rack_id: R-A-01
mqtt: { url: "ftp://skadi:hunter2@broker", pasword: hunter2, password: [hunter2] }
sensors:
  devices:
    - { name: a, driver: prometheus, urls: ["http://skadi:hunter2@x/metrics"], auth: { token: hunter2 } }
drives:
  - { name: b, driver: redfish, url: "https://x", auth: { username: a, password: 42424242 }, targets: [] }
`);
    const error = refusal(() => loadConfig(AgentConfig, { file: path, env: {} }));
    const fields = error.rejections.map(({ field }) => field);
    expect(fields).toEqual(
      expect.arrayContaining(["mqtt.password", "sensors.devices.0.auth", "drives.0.auth.password"]),
    );
    expect(JSON.stringify([error.message, error.rejections])).not.toMatch(/hunter2|42424242/);
  });

  it("names a wrong SKADI_ variable's field", () => {
    const error = refusal(() => loadConfig(AggregatorConfig, { env: { SKADI_HTTP_PORT: "eighty" } }));
    expect(error.rejections[0]).toMatchObject({
      code: "SKADI_BAD_CONFIG",
      field: "http.port",
      value: "eighty",
    });
  });

  it.each([
    "abc #def",
    "'quoted'",
    "0815",
    "true",
    "null",
    "~",
    "1e5",
    "a: b",
    "[x]",
    "*star",
    "%abc",
    "&a",
    "{",
  ])("takes the text %s of a SKADI_ variable as it is, without a word", (text) => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const config = loadConfig(AggregatorConfig, { env: { SKADI_BROKER_EXTERNAL_PASSWORD: text } });
    expect(config.broker.external.password).toBe(text);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it("refuses a SKADI_ variable of a text that is set to nothing", () => {
    const error = refusal(() => loadConfig(AggregatorConfig, { env: { SKADI_DATA_DIR: "" } }));
    expect(error.rejections[0]).toMatchObject({ field: "data_dir", expected: "string" });
  });

  it("reads numbers, booleans and lists of SKADI_ variables as YAML, and null where there may be none", () => {
    const env = { SKADI_HTTP_PORT: "8001", SKADI_BROKER_EMBEDDED: "false", SKADI_ROWS: "[A, B]" };
    expect(loadConfig(AggregatorConfig, { env })).toMatchObject({
      http: { port: 8001 },
      broker: { embedded: false },
      rows: ["A", "B"],
    });
    const Maybe = z.strictObject({ name: z.string().nullable(), size: z.union([z.string(), z.number()]) });
    const read = (SKADI_NAME: string, SKADI_SIZE: string) =>
      loadConfig(Maybe, { env: { SKADI_NAME, SKADI_SIZE } });
    expect(["", "null", "~", "'x'"].map((name) => read(name, "1").name)).toEqual([null, null, null, "'x'"]);
    expect(["7", "seven"].map((size) => read("x", size).size)).toEqual([7, "seven"]);
  });

  it.each(["*hunter2", "%hunter2", "{hunter2", "!!hunter2 x", "hunter2"])(
    "does not repeat a secret that is refused: %s",
    (text) => {
      const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const env = { SKADI_NOTIFY_WEBHOOK_SECRET: text };
      const error = refusal(() => loadConfig(AggregatorConfig, { env }));
      expect(error.rejections[0]?.field).toBe("notify.webhook.secret");
      expect(JSON.stringify([error.message, error.rejections, warned.mock.calls])).not.toContain("hunter2");
      warned.mockRestore();
    },
  );

  it("that is missing, no mapping, or no YAML is refused with its path", () => {
    expect(refusal(() => loadConfig(AgentConfig, { file: "/nowhere.yaml", env: {} })).message).toContain(
      "/nowhere.yaml",
    );
    expect(refusal(() => loadConfig(AgentConfig, { file: file("- a\n- b\n"), env: {} })).message).toContain(
      "mapping",
    );
    expect(refusal(() => loadConfig(AgentConfig, { file: file("a: [1\n"), env: {} })).message).toContain(
      "YAML",
    );
  });
});

describe("the shipped configuration files", () => {
  const shipped = (name: string) => new URL(`../../../config/${name}`, import.meta.url).pathname;

  it("say exactly what the programs do without them", () => {
    expect(loadConfig(AggregatorConfig, { file: shipped("aggregator.yaml"), env: {} })).toEqual(
      AggregatorConfig.parse({}),
    );
    expect(loadConfig(SimConfig, { file: shipped("sim.yaml"), env: {} })).toEqual(SimConfig.parse({}));
  });

  it("make a valid agent once its rack and sensors are named", () => {
    const config = loadConfig(AgentConfig, { file: shipped("agent.yaml"), env: {} });
    expect(config).toEqual({ ...AgentConfig.parse({ rack_id: "R-A-01" }), sensors: config.sensors });
  });
});
