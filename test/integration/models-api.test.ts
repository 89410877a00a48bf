import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { ModelDiff } from "../../shared/contracts/model-diff.ts";
import { ModelDetail } from "../../shared/contracts/registry.ts";
import { RolloutView } from "../../shared/contracts/rollout.ts";
import { reject } from "../../shared/errors.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { sealModel, validateModel, writeModelFile } from "../../shared/ims/model-file.ts";
import { isoTime } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { type ModelAgents, modelAgents } from "../support/model-agents.ts";
import { smallModel } from "../support/models.ts";
import { SITE, sample, type TestSite, testSite } from "./aggregator-harness.ts";

const first = smallModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1) });
const second = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });
const third = smallModel({ seed: 3, created_ms: Date.UTC(2026, 0, 3) });
/** Those with an agent; the third of each row has none, so that the aggregator scores for it. */
const RACKS = ["R-A-01", "R-A-02", "R-B-01", "R-B-02"];
const TOKEN = { token: true };

let site: TestSite;
let agents: ModelAgents;
const events: { type: string; data: Record<string, unknown> }[] = [];
let socket: WebSocket;
beforeAll(async () => {
  const config = { rows: ["A", "B"], racks_per_row: 3 };
  site = await testSite({ model: first, config });
  const { client } = await site.mqtt({ topics: [] });
  agents = await modelAgents(client, SITE, RACKS, (rack_id, { sha256 }) =>
    rack_id === "R-B-02" && sha256 === third.sha256 ? [reject("SKADI_MODEL_GOLDEN")] : [],
  );
  socket = new WebSocket(`${site.aggregator.http_url.replace("http", "ws")}/ws/events`);
  socket.on("message", (text) => events.push(JSON.parse(String(text))));
  await eventually("a WebSocket", () => socket.readyState === WebSocket.OPEN);
});
afterAll(async () => {
  socket.close();
  await site.close();
});

/** fetch for the methods that the harness has not. */
async function call(method: string, path: string, body?: object) {
  const response = await fetch(`${site.aggregator.http_url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${site.aggregator.api_token}`,
      ...(body ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the tests state what they expect of a body themselves
  return { status: response.status, body: (await response.json()) as any };
}

const stageOf = async (id: string) => (await site.get(`/models/${id}`)).body.stage;
const ended = (id: string) =>
  eventually(`the end of rollout ${id}`, async () => {
    const { body } = await site.get(`/rollouts/${id}`);
    return body.state === "running" ? null : RolloutView.parse(body);
  });
const everyRackRuns = (id: string) =>
  eventually(`every rack runs ${id}`, () => Object.values(agents.running()).every((run) => run === id));

describe("the model registry", () => {
  it("takes in the model that lay in the folder: active, since there was none before", async () => {
    await everyRackRuns(first.id);
    const { body } = await site.get("/models");
    expect(body.active).toBe(first.id);
    expect(body.models).toEqual([
      expect.objectContaining({ model_id: first.id, sha256: first.sha256, stage: "active" }),
    ]);
    const detail = ModelDetail.parse((await site.get(`/models/${first.sha256.slice(0, 8)}`)).body);
    expect(detail.history.map(({ stage }) => stage)).toEqual(["candidate", "active"]);
    expect(detail.content).toMatchObject({ tau_fast: first.tau_fast, training: { clusters: 4 } });
    await eventually("the racks that run it", async () => {
      const { racks } = (await site.get(`/models/${first.id}`)).body;
      return racks.length === RACKS.length;
    });
  });

  it("registers a pushed file as a candidate, which no rack runs; once more is no news", async () => {
    const before = await site.post("/models", second, TOKEN);
    expect(before.body).toMatchObject({ model_id: second.id, stage: "candidate" });
    expect(before.body.lineage).toMatchObject({ source: "pushed", data: "test", data_sha256: null });
    expect((await site.post("/models", second, TOKEN)).body).toEqual(before.body);
    expect((await site.get("/models")).body).toMatchObject({
      active: first.id,
      models: [{ model_id: second.id }, { model_id: first.id }],
    });
    expect((await site.get(`/models/${second.id}/file`)).body).toEqual(second);
    expect(new Set(Object.values(agents.running()))).toEqual(new Set([first.id]));
  });

  it("keeps the lineage that is pushed along with a file", async () => {
    const lineage = {
      ...{ source: "trained", data: "week.csv", data_sha256: "a".repeat(64), rows: 2_000, report: "x.html" },
      ...{ from: isoTime(0), to: isoTime(1_000), code_version: "9.9.9", parameters: { seed: 3 } },
      parent_id: null,
    };
    const { body } = await site.post("/models", { model: third, lineage }, TOKEN);
    expect(body.lineage).toEqual({ ...lineage, source: "pushed", report: null });
  });

  it("refuses a file that is not valid, with its own reason, and one whose id another model has", async () => {
    const codeOf = async (model: object) => {
      const { status, body } = await site.post("/models", model, TOKEN);
      return [status, body.error.code];
    };
    expect(await codeOf({ ...second, tau_fast: second.tau_fast / 2 })).toEqual([422, "SKADI_MODEL_HASH"]);
    expect(await codeOf({ id: "nothing" })).toEqual([422, "SKADI_MODEL_SCHEMA"]);
    const { sha256: _, ...content } = second;
    const namesake = sealModel({ ...content, tau_fast: content.tau_fast * 0.9 });
    expect(await codeOf(namesake)).toEqual([409, "SKADI_CONFLICT"]);
    const large = sealModel({ ...content, id: "large", ...{ filler: "x".repeat(4 * 1024 * 1024) } });
    expect(await codeOf(large)).toEqual([413, "SKADI_PAYLOAD_TOO_LARGE"]);
    expect((await site.get("/models")).body.models).toHaveLength(3);
  });

  it("lets nobody change anything without the token", async () => {
    const { http_url } = site.aggregator;
    for (const [method, path] of [
      ["POST", "/models"],
      ["POST", `/models/${second.id}/promote`],
      ["POST", "/models/rollback"],
      ["PUT", "/models/pins"],
      ["DELETE", "/models/pins/A"],
      ["POST", "/rollouts/x/halt"],
      ["POST", "/keys/rotate"],
    ] as const) {
      const response = await fetch(`${http_url}${path}`, { method });
      expect([path, response.status]).toEqual([path, 401]);
    }
  });

  it("says of what is not there what was asked for", async () => {
    const codeOf = async (path: string) => {
      const { status, body } = await site.get(path);
      return [status, body.error.code, body.error.rejections[0].field];
    };
    expect(await codeOf("/models/ims_none")).toEqual([404, "SKADI_NOT_FOUND", "model"]);
    expect(await codeOf(`/models/${first.id}/diff/ims_none`)).toEqual([404, "SKADI_NOT_FOUND", "model"]);
    expect(await codeOf(`/models/${first.id}/report`)).toEqual([404, "SKADI_NOT_FOUND", "report"]);
    expect(await codeOf("/rollouts/none")).toEqual([404, "SKADI_NOT_FOUND", "rollout"]);
  });

  it("compares two models on golden samples and on what the racks sent lately", async () => {
    const own = ModelDiff.parse((await site.get(`/models/${first.id}/diff/${first.id}`)).body);
    expect(own.agreement).toMatchObject({ share: 1, rows: { stored: 0 } });
    await site.post("/telemetry", { samples: RACKS.map((rack_id) => sample(rack_id)) });
    const diff = ModelDiff.parse((await site.get(`/models/${first.id}/diff/${second.id}`)).body);
    expect(diff).toMatchObject({ a: { model_id: first.id }, b: { model_id: second.id }, features: FEATURES });
    expect(diff.agreement.rows).toEqual({
      golden: first.golden.length + second.golden.length,
      stored: RACKS.length,
    });
    expect(diff.agreement.correlation).toBeGreaterThan(0.5);
  });
});

describe("promotion and rollback", () => {
  it("an ungated promotion makes the model active when every rack has it, and the old one retires", async () => {
    const body = { gated: false, reason: "better on last week" };
    const rollout = (await site.post(`/models/${second.id}/promote`, body, TOKEN)).body;
    expect(rollout).toMatchObject({
      model_id: second.id,
      previous_id: first.id,
      gated: false,
      by: "operator",
    });
    const end = await ended(rollout.id);
    expect(end).toMatchObject({ state: "completed", reason: body.reason });
    expect(end.racks.accepted.toSorted()).toEqual(RACKS);
    expect(end.racks.offline).toEqual(["R-A-03", "R-B-03"]);
    await everyRackRuns(second.id);
    expect([await stageOf(first.id), await stageOf(second.id)]).toEqual(["retired", "active"]);
    const scored = await site.post("/telemetry", sample("R-A-03"));
    expect(scored.body.scores[0].model_id).toBe(second.id);
  });

  it("of the model that is active already is refused", async () => {
    const { status, body } = await site.post(`/models/${second.id}/promote`, {}, TOKEN);
    expect([status, body.error.code]).toEqual([409, "SKADI_CONFLICT"]);
  });

  it("says which racks refused the model, and why", async () => {
    const { body } = await site.post(`/models/${third.id}/promote`, { gated: false }, TOKEN);
    const { racks } = await ended(body.id);
    expect(racks.accepted).toHaveLength(3);
    expect(racks.refused).toEqual([
      { rack_id: "R-B-02", errors: [expect.objectContaining({ code: "SKADI_MODEL_GOLDEN" })] },
    ]);
  });

  it("a rollback goes back, a second one further back, and a restart undoes neither", async () => {
    await site.post("/models/rollback", { reason: "third is odd" }, TOKEN);
    await everyRackRuns(second.id);
    await site.post("/models/rollback", {}, TOKEN);
    await everyRackRuns(first.id);
    expect(await stageOf(first.id)).toBe("active");
    const nothing = await site.post("/models/rollback", {}, TOKEN);
    expect([nothing.status, nothing.body.error.code]).toEqual([404, "SKADI_NOT_FOUND"]);
    const detail = (await site.get(`/models/${third.id}`)).body;
    expect(detail.history.at(-1)).toMatchObject({ stage: "retired", by: "operator" });
    expect(detail.history.at(-1).reason).toContain("third is odd");
  });

  it("a gated promotion starts as a canary; halting it takes the model back", async () => {
    const { body } = await site.post(`/models/${second.id}/promote`, { reason: "again" }, TOKEN);
    expect(body).toMatchObject({ state: "running", gated: true });
    expect(await stageOf(second.id)).toBe("canary");
    expect(await stageOf(first.id)).toBe("active");
    const halted = await site.post(`/rollouts/${body.id}/halt`, { reason: "no" }, TOKEN);
    expect(halted.body.state).toBe("rolled_back");
    await everyRackRuns(first.id);
    expect(await stageOf(second.id)).toBe("retired");
    const again = await site.post(`/rollouts/${body.id}/halt`, {}, TOKEN);
    expect([again.status, again.body.error.code]).toEqual([409, "SKADI_CONFLICT"]);
    const { rollouts } = (await site.get("/rollouts")).body;
    expect(rollouts[0]).toMatchObject({ id: body.id, state: "rolled_back" });
  });

  it("every change was told as an event", () => {
    const changes = events.filter(({ type }) => type === "model_stage").map(({ data }) => data);
    expect(changes).toContainEqual(
      expect.objectContaining({ model_id: second.id, from: "candidate", stage: "active", by: "operator" }),
    );
    expect(changes).toContainEqual(
      expect.objectContaining({ model_id: second.id, stage: "canary", reason: "again" }),
    );
    expect(events.filter(({ type }) => type === "rollout").length).toBeGreaterThan(4);
  });
});

describe("pins", () => {
  it("keep a rack on its model while the site runs another, until they are taken off", async () => {
    const pin = await call("PUT", "/models/pins", { scope: "R-A-02", model_id: second.id });
    expect(pin).toMatchObject({
      status: 200,
      body: { scope: "R-A-02", sha256: second.sha256, by: "operator" },
    });
    await eventually("the pinned rack", () => agents.running()["R-A-02"] === second.id);
    expect(agents.running()).toMatchObject({ "R-A-01": first.id, "R-B-01": first.id });
    expect((await site.get(`/models/${second.id}`)).body.pins).toEqual([pin.body]);
    expect((await call("DELETE", "/models/pins/R-A-02")).body).toEqual({ unpinned: pin.body });
    await everyRackRuns(first.id);
    expect((await site.get("/models/pins")).body).toEqual({ pins: [] });
  });

  it("of a row hold for its racks, but a rack's own pin outranks it", async () => {
    await call("PUT", "/models/pins", { scope: "B", model_id: second.id });
    await call("PUT", "/models/pins", { scope: "R-B-01", model_id: first.id });
    await eventually("the pinned row", () => agents.running()["R-B-02"] === second.id);
    await eventually("the pinned rack", () => agents.running()["R-B-01"] === first.id);
    const scored = await site.post("/telemetry", { samples: [sample("R-A-03"), sample("R-B-03")] });
    const models = scored.body.scores.map((score: { model_id: string }) => score.model_id);
    expect(models).toEqual([first.id, second.id]);
    for (const scope of ["B", "R-B-01"]) await call("DELETE", `/models/pins/${scope}`);
    await everyRackRuns(first.id);
  });

  it("need a rack or a row of the site, and a registered model", async () => {
    const refused = async (scope: string, model_id: string) => {
      const { status, body } = await call("PUT", "/models/pins", { scope, model_id });
      return [status, body.error.rejections[0].field];
    };
    expect(await refused("R-Z-01", first.id)).toEqual([404, "scope"]);
    expect(await refused("A", "ims_none")).toEqual([404, "model"]);
    const { status, body } = await call("DELETE", "/models/pins/A");
    expect([status, body.error.rejections[0].field]).toEqual([404, "pin"]);
  });
});

describe("keys", () => {
  it("are listed without their secrets; a rotation adds one, which signs from then on", async () => {
    const { keys } = (await site.get("/keys")).body;
    expect(keys).toEqual([expect.objectContaining({ current: true })]);
    const { key_id } = (await site.post("/keys/rotate", undefined, TOKEN)).body;
    const rotated = (await site.get("/keys")).body.keys;
    expect(rotated).toMatchObject([
      { key_id: keys[0].key_id, current: false },
      { key_id, current: true },
    ]);
    expect(JSON.stringify(rotated)).not.toContain("PRIVATE");
  });
});

describe("a model that is trained over the API", () => {
  const columns = FEATURES.join(",");
  const row = (i: number) => {
    const wobble = (i % 13) / 13 + (i % 7) / 70;
    const load = [7 + wobble, 5 + (i % 5) / 5, 8000 + 90 * (i % 11), 170 + (i % 17), 30 + (i % 9)];
    return [22 + wobble, 35 + 2 * wobble, 13 + wobble, ...load, 60 + (i % 6), 55 + (i % 4)];
  };
  const T0 = Date.UTC(2026, 0, 1);

  it("knows its data, its span, its parameters and its code, and has a report", async () => {
    const lines = Array.from({ length: 1_000 }, (_, i) => `${isoTime(T0 + i * 60_000)},${row(i).join(",")}`);
    const text = `ts,${columns}\n${lines.join("\n")}\n`;
    writeFileSync(join(site.data_dir, "train.csv"), text);
    const [trained, health] = await Promise.all([
      site.post("/ims/train", { data: "train.csv", clusters: 4 }, TOKEN),
      site.get("/health"),
    ]);
    expect(health.status).toBe(200);
    expect(trained.body).toMatchObject({ rows: 1_000, nominal_rows: 1_000, clusters: 4, activated: false });
    const { model_id } = trained.body;
    const detail = ModelDetail.parse((await site.get(`/models/${model_id}`)).body);
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(detail).toMatchObject({
      stage: "candidate",
      lineage: {
        ...{ source: "trained", data: "train.csv", rows: 1_000, code_version: version },
        data_sha256: createHash("sha256").update(text).digest("hex"),
        ...{ from: isoTime(T0), to: isoTime(T0 + 999 * 60_000) },
        parameters: { clusters: 4, seed: 42, limits: { inlet_c: 28 } },
        report: `${model_id}.html`,
      },
    });
    const page = await fetch(`${site.aggregator.http_url}/models/${model_id}/report`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const html = await page.text();
    expect(html).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/);
    expect(html).toContain(model_id);
    expect(html).not.toContain("<script");
  });

  it("from stored telemetry knows its span and a hash that the same rows give again", async () => {
    const samples = Array.from({ length: 120 }, (_, i) =>
      sample("R-A-01", {
        ...{ ts: isoTime(T0 + i * 5_000), seq: 10_000 + i, inlet_c: 21 + (i % 7) / 3 },
        ...{ outlet_c: 34 + (i % 5), pdu_kw: 7 + (i % 9) / 4, gpu_energy_j: 25_000 + 500 * (i % 11) },
        ...{ tokens_ps: 7_500 + 100 * (i % 13), latency_p95_ms: 160 + (i % 17), queue_depth: 20 + (i % 19) },
        ...{ fan_rpm_pct: 58 + (i % 6), pump_rpm_pct: 52 + (i % 4) },
      }),
    );
    await site.post("/telemetry", { samples });
    const train = async () => {
      const { status, body } = await site.post("/ims/train", { clusters: 2 }, TOKEN);
      expect([status, body.activated]).toEqual([200, false]);
      const { sha256 } = JSON.parse(readFileSync(body.file, "utf8"));
      return ModelDetail.parse((await site.get(`/models/${sha256}`)).body).lineage;
    };
    const one = await train();
    const other = await train();
    expect(one).toMatchObject({ source: "trained", data: "stored telemetry", from: isoTime(T0) });
    expect(one.data_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(other.data_sha256).toBe(one.data_sha256);
  });

  it("may be of another kind, with thresholds that state their rate", async () => {
    const threshold = { method: "tail", fast_rate: 0.05, persist_rate: 0.02 };
    const order = { data: "train.csv", clusters: 3, kind: "mahalanobis", threshold, trim_share: 0.02 };
    const { status, body } = await site.post("/ims/train", order, TOKEN);
    expect(status, JSON.stringify(body)).toBe(200);
    const model = JSON.parse(readFileSync(body.file, "utf8"));
    expect(model).toMatchObject({ kind: "mahalanobis", threshold });
    const { lineage } = ModelDetail.parse((await site.get(`/models/${body.model_id}`)).body);
    expect(lineage.parameters).toMatchObject({ kind: "mahalanobis", threshold, trim_share: 0.02 });
    const wrong = await site.post("/ims/train", { kind: "cube" }, TOKEN);
    expect([wrong.status, wrong.body.error.rejections[0].field]).toEqual([422, "kind"]);
  });

  it("and is to be activated reaches every rack at once", async () => {
    const { body } = await site.post("/ims/train", { data: "train.csv", clusters: 3, activate: true }, TOKEN);
    expect(body.activated).toBe(true);
    await everyRackRuns(body.model_id);
    expect((await site.get("/ims/models")).body.active).toBe(body.model_id);
    expect(await stageOf(body.model_id)).toBe("active");
  });
});

describe("a model file that is put into the folder while the aggregator runs", () => {
  it("is a candidate like any other, and is not run by itself", async () => {
    const before = (await site.get("/models")).body.active;
    const copied = smallModel({ seed: 7, created_ms: Date.now() + 60_000 });
    writeModelFile(join(site.data_dir, "models", "copied.json"), copied);
    expect((await site.get(`/models/${copied.id}`)).body).toMatchObject({
      stage: "candidate",
      lineage: { source: "found" },
    });
    expect(validateModel((await site.get(`/models/${copied.id}/file`)).body).ok).toBe(true);
    await site.restart();
    expect((await site.get("/models")).body.active).toBe(before);
  });
});
