import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelManifest } from "../../shared/contracts/manifest.ts";
import type { Ack } from "../../shared/contracts/messages.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { modelTopic } from "../../shared/contracts/topics.ts";
import { reject } from "../../shared/errors.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { readPublicKey, verifyMessage } from "../../shared/signing.ts";
import { isoTime } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { smallModel } from "../support/models.ts";
import {
  agentStatus,
  SITE,
  sample,
  type TestClient,
  type TestSite,
  testSite,
  topicOf,
} from "./aggregator-harness.ts";

const first = smallModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1) });
const second = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });

let site: TestSite;
let agents: TestClient;
beforeAll(async () => {
  site = await testSite({ model: first });
  agents = await site.mqtt({ topics: [modelTopic(SITE)] });
});
afterAll(() => site.close());

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** The command line as a process of its own, against the running site. */
function models(...args: string[]): Promise<Run> {
  const port = new URL(site.aggregator.mqtt_url).port;
  const env = { ...process.env, SKADI_DATA_DIR: site.data_dir, SKADI_BROKER_PORT: port };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["aggregator/main.ts", "models", ...args],
      { env },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

/** Agents that answer every offer: R-A-01 takes it, R-A-02 does not; R-A-03 never answers. */
async function standInAgents(): Promise<void> {
  for (const rack_id of ["R-A-01", "R-A-02", "R-A-03"]) {
    await agents.publish(topicOf(rack_id, "status"), agentStatus(rack_id, "online"), true);
  }
  agents.client.on("message", (topic, payload) => {
    if (topic !== modelTopic(SITE)) return;
    const ref = (JSON.parse(payload.toString()).model as ModelFile).id;
    const ack = (rack_id: string, errors: Ack["errors"]): Ack => {
      return { v: 1, ts: isoTime(Date.now()), rack_id, of: "model", ok: errors.length === 0, ref, errors };
    };
    agents.client.publish(topicOf("R-A-01", "ack"), JSON.stringify(ack("R-A-01", [])), { qos: 1 });
    const refusal = [reject("SKADI_MODEL_GOLDEN", { field: "golden.0" })];
    agents.client.publish(topicOf("R-A-02", "ack"), JSON.stringify(ack("R-A-02", refusal)), { qos: 1 });
  });
}

const activeId = async () => (await site.get("/ims/models")).body.active;

describe("models", () => {
  it("at the start the newest valid one is announced: retained and signed", async () => {
    const manifest = await agents.received<ModelManifest>(modelTopic(SITE));
    expect(manifest.model).toEqual(first);
    expect(verifyMessage(manifest, readPublicKey(site.aggregator.public_key_file))).toBe(true);
    expect(await activeId()).toBe(first.id);
  });

  it("push: publishes, swaps the aggregator's own scorer, and reports who took it", async () => {
    await standInAgents();
    const file = join(site.data_dir, "pushed.json");
    writeModelFile(file, second);
    const { code, stdout } = await models("push", file, "--wait", "0.6", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      model_id: second.id,
      previous_id: first.id,
      accepted: ["R-A-01"],
      refused: [{ rack_id: "R-A-02", errors: [expect.objectContaining({ code: "SKADI_MODEL_GOLDEN" })] }],
      silent: ["R-A-03"],
    });
    expect(code).toBe(1);
    await eventually("the swap", async () => (await activeId()) === second.id);
    const { body } = await site.post("/telemetry", sample("R-F-01"));
    expect(body.scores[0].model_id).toBe(second.id);
    const { body: listed } = await site.get("/ims/models");
    expect(listed.models.find((m: { id: string }) => m.id === second.id)).toMatchObject({
      active: true,
      accepted: ["R-A-01"],
      silent: ["R-A-03"],
    });
  });

  it("push of a file that is not valid publishes nothing and says why", async () => {
    const published = agents.all(modelTopic(SITE)).length;
    const file = join(site.data_dir, "tampered.json");
    writeFileSync(file, JSON.stringify({ ...second, tau_fast: second.tau_fast / 2 }));
    const { code, stderr } = await models("push", file);
    expect(code).toBe(1);
    expect(stderr).toContain("SKADI_MODEL_HASH");
    expect(agents.all(modelTopic(SITE)).length).toBe(published);
    expect(await activeId()).toBe(second.id);
  });

  it("rollback goes back to the one before, and a restart does not undo it", async () => {
    const { stdout } = await models("rollback", "--wait", "0", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ model_id: first.id, previous_id: second.id });
    await eventually("the swap", async () => (await activeId()) === first.id);
    await site.restart();
    expect(await activeId()).toBe(first.id);
  });

  it("list names the active one; promote brings another back", async () => {
    const { stdout } = await models("list", "--json");
    const rows: { id: string; active: boolean }[] = JSON.parse(stdout).models;
    expect(rows.filter((row) => row.active).map((row) => row.id)).toEqual([first.id]);
    expect(rows.map((row) => row.id).sort()).toEqual([first.id, second.id].sort());
    await models("promote", second.id, "--wait", "0");
    await eventually("the swap", async () => (await activeId()) === second.id);
    const unknown = await models("promote", "ims_none");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("SKADI_NOT_FOUND")]);
  });

  it("are trained over the API from a file in the data directory, without holding up anybody", async () => {
    const columns =
      "inlet_c,outlet_c,delta_t,pdu_kw,gpu_power_kw,tokens_ps,latency_p95_ms,queue_depth,fan_rpm_pct,pump_rpm_pct";
    const row = (i: number) => {
      const wobble = (i % 13) / 13 + (i % 7) / 70;
      return [
        22 + wobble,
        35 + 2 * wobble,
        13 + wobble,
        7 + wobble,
        5 + (i % 5) / 5,
        8000 + 90 * (i % 11),
        170 + (i % 17),
        30 + (i % 9),
        60 + (i % 6),
        55 + (i % 4),
      ];
    };
    const lines = Array.from({ length: 1_000 }, (_, i) => row(i).join(","));
    writeFileSync(join(site.data_dir, "train.csv"), `${columns}\n${lines.join("\n")}\n`);
    const [trained, health] = await Promise.all([
      site.post("/ims/train", { data: "train.csv", clusters: 4, activate: true }, { token: true }),
      site.get("/health"),
    ]);
    expect(health.status).toBe(200);
    expect(trained.body).toMatchObject({ rows: 1_000, nominal_rows: 1_000, clusters: 4, activated: true });
    expect(await activeId()).toBe(trained.body.model_id);
  });

  it("are trained over the API from stored telemetry", async () => {
    const samples = Array.from({ length: 120 }, (_, i) =>
      sample("R-E-01", {
        seq: i,
        inlet_c: 21 + (i % 7) / 3,
        outlet_c: 34 + (i % 5),
        pdu_kw: 7 + (i % 9) / 4,
        gpu_energy_j: 25_000 + 500 * (i % 11),
        tokens_ps: 7_500 + 100 * (i % 13),
        latency_p95_ms: 160 + (i % 17),
        queue_depth: 20 + (i % 19),
        fan_rpm_pct: 58 + (i % 6),
        pump_rpm_pct: 52 + (i % 4),
      }),
    );
    await site.post("/telemetry", { samples });
    const { status, body } = await site.post("/ims/train", { clusters: 2 }, { token: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ clusters: 2, activated: false });
    expect(body.nominal_rows).toBeGreaterThanOrEqual(120);
  });
});
