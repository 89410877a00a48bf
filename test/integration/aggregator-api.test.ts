import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { virtualClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { HOT, sample, type TestSite, testSite } from "./aggregator-harness.ts";

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const codeOf = (answer: { body: { error?: { code: string } } }) => answer.body.error?.code;

describe("POST /telemetry", () => {
  it("accepts one sample and answers with its score", async () => {
    const { status, body } = await site.post("/telemetry", sample("R-A-01"));
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 1, duplicates: 0, late: 0, rejected: [] });
    expect(body.scores).toEqual([
      expect.objectContaining({ rack_id: "R-A-01", state: "nominal", scored_by: "aggregator" }),
    ]);
  });

  it("knows a repeated sample", async () => {
    const once = sample("R-A-02");
    await site.post("/telemetry", once);
    expect((await site.post("/telemetry", once)).body).toMatchObject({
      accepted: 0,
      duplicates: 1,
      scores: [],
    });
  });

  it("keeps a late sample and scores it, without moving the rack's present", async () => {
    await site.post("/telemetry", {
      samples: [sample("R-A-03", { seq: 10 }), sample("R-A-03", { seq: 11 })],
    });
    const { body } = await site.post("/telemetry", sample("R-A-03", { seq: 5, ...HOT }));
    expect(body).toMatchObject({ accepted: 0, late: 1 });
    const { body: overview } = await site.get("/state/overview");
    const rack = overview.rack_list.find((r: { rack_id: string }) => r.rack_id === "R-A-03");
    expect(rack).toMatchObject({ state: "nominal", inlet_c: 22.5 });
  });

  it("accepts the valid samples of a batch and says what is wrong with the others", async () => {
    const samples = [sample("R-A-04"), sample("R-A-05", { inlet_c: "warm" }), sample("R-Z-01")];
    const { status, body } = await site.post("/telemetry/batch", { samples });
    expect(status).toBe(200);
    expect(body.accepted).toBe(1);
    expect(body.rejected).toEqual([
      expect.objectContaining({ index: 1, code: "SKADI_INVALID_FIELD", field: "inlet_c", value: "warm" }),
      expect.objectContaining({ index: 2, code: "SKADI_UNKNOWN_RACK", field: "rack_id", value: "R-Z-01" }),
    ]);
  });

  it("refuses a batch of which nothing is valid, an empty one and one that is none", async () => {
    const nothing = await site.post("/telemetry/batch", { samples: [{}, { v: 2 }] });
    expect(nothing.status).toBe(422);
    expect(nothing.body.error.rejections.map((r: { index: number }) => r.index)).toContain(1);
    expect((await site.post("/telemetry", { samples: [] })).body.error.rejections[0].field).toBe("samples");
    expect((await site.post("/telemetry/batch", sample("R-A-01"))).body.error.rejections[0].field).toBe(
      "samples",
    );
  });
});

describe("the read routes", () => {
  it("GET /ims/scores gives the newest first, as many as asked for", async () => {
    await site.post("/telemetry", { samples: [sample("R-B-01", { seq: 1 }), sample("R-B-01", { seq: 2 })] });
    const { body } = await site.get("/ims/scores?limit=2");
    expect(body.scores).toHaveLength(2);
    expect(body.scores[0]).toMatchObject({ model_id: expect.any(String), contributions: expect.any(Object) });
    expect((await site.get("/ims/scores?limit=none")).status).toBe(422);
  });

  it("GET /ims/models names the active model", async () => {
    const { body } = await site.get("/ims/models");
    expect(body.active).toMatch(/^ims_/);
    expect(body.models).toEqual([expect.objectContaining({ id: body.active, active: true, valid: true })]);
  });

  it("GET /state/overview counts racks and gives the key figures and the worst rack", async () => {
    await site.post("/telemetry", sample("R-C-07", HOT));
    const { status, body } = await site.get("/state/overview");
    expect(status).toBe(200);
    expect(body.racks).toMatchObject({ total: 72, transient: 1 });
    expect(body.worst_rack).toMatchObject({ rack_id: "R-C-07", state: "transient" });
    expect(body.worst_rack.contributions).toHaveLength(3);
    expect(body.kpis.j_per_token).toBeCloseTo(8_000 / 8_500, 6);
    expect(body.rack_list).toHaveLength(72);
  });

  it("GET /heatmap gives one quantity of every rack, now or at an instant", async () => {
    const at = Date.now();
    await site.post("/telemetry", sample("R-D-01", { ts: new Date(at).toISOString(), pdu_kw: 9.5 }));
    const cellOf = async (query: string) => {
      const { body } = await site.get(`/heatmap?${query}`);
      return body.cells.find((cell: { rack_id: string }) => cell.rack_id === "R-D-01");
    };
    expect(await cellOf("type=power")).toMatchObject({ row: "D", position: 1, value: 9.5, state: "nominal" });
    expect(await cellOf(`type=power&ts=${at}`)).toMatchObject({ value: 9.5, state: "nominal" });
    expect(await cellOf(`type=power&ts=${new Date(at - 3_600_000).toISOString()}`)).toMatchObject({
      value: null,
    });
    const wrong = await site.get("/heatmap?type=smell");
    expect([wrong.status, wrong.body.error.rejections[0].field]).toEqual([422, "type"]);
  });

  it("GET /timeline gives steps and events", async () => {
    await site.post("/telemetry", sample("R-D-02"));
    const { body } = await site.get("/timeline");
    expect(body.points.at(-1)).toMatchObject({ racks: expect.any(Number), energy_kwh: expect.any(Number) });
    expect(body.events.map(({ type }: { type: string }) => type)).toContain("model");
    const wrong = await site.get("/timeline?from=yesterday");
    expect([wrong.status, wrong.body.error.rejections[0].field]).toEqual([422, "from"]);
    const backwards = await site.get("/timeline?from=2026-01-02&to=2026-01-01");
    expect([backwards.status, backwards.body.error.rejections[0].field]).toEqual([422, "from"]);
  });

  it("GET /timeline of all times there are has what is kept, in at most 2,000 steps", async () => {
    await site.post("/telemetry", sample("R-D-02"));
    const { status, body } = await site.get("/timeline?from=2000&to=2199");
    expect([status, body.step_s]).toEqual([200, 289 * 60]);
    expect(Date.now() - Date.parse(body.from)).toBeCloseTo(400 * 86_400_000, -5);
    expect(body.points.length).toBeGreaterThan(0);
    expect(body.events.length).toBeGreaterThan(0);
  });

  it.each([
    "/timeline?from=",
    "/timeline?to=",
    "/heatmap?ts=",
    "/savings?from=",
    "/export?from=",
    "/racks/R-C-07/series?to=",
    "/report/judges?to=",
    "/report/judges.html?from=",
  ])("%s… refuses instants that are none of these centuries, and says what is expected", async (path) => {
    for (const instant of ["0", "8640000000000000", "-271821-04-20", "1767225600", "2026-02-30"]) {
      const { status, body } = await site.get(`${path}${instant}`);
      expect([instant, status]).toEqual([instant, 422]);
      expect(body.error.rejections[0]).toMatchObject({
        code: "SKADI_INVALID_FIELD",
        value: instant,
        expected: expect.stringMatching(/ISO 8601.*milliseconds since the epoch.*2000 to 2199/),
      });
    }
  });

  it("GET and POST /report/judges give the same document", async () => {
    for (const answer of [await site.get("/report/judges"), await site.post("/report/judges")]) {
      expect(answer.status).toBe(200);
      expect(answer.body.overview.racks.total).toBe(72);
      expect(answer.body.deviations.length).toBeGreaterThan(0);
    }
  });

  it("GET /report/judges has its sections, of the period that was asked for", async () => {
    const hour_ms = 3_600_000;
    const [from, to] = [
      new Date(Date.now() - hour_ms).toISOString(),
      new Date(Date.now() + 1_000).toISOString(),
    ];
    const { body } = await site.get(`/report/judges?from=${from}&to=${to}`);
    expect(body.period).toEqual({ from, to, step_s: 60, live: true });
    expect(body.state.cells).toHaveLength(72);
    expect(body.state.worst[0].contributions[0].share).toBeGreaterThan(0);
    expect(body.deviation_history.steps.length).toBeGreaterThan(0);
    expect(body.energy.energy_kwh).toBeGreaterThan(0);
    expect(body.mms.rows.map(({ row }: { row: string }) => row)).toEqual(["A", "B", "C", "D", "E", "F"]);
    expect(body.incidents).toEqual({ total: 0, open: 0, by_cause: {}, list: [] });
    expect(body.savings.measured).toBeNull();
    expect(body.timeline.total).toBeGreaterThan(0);
    const past = await site.get("/report/judges?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
    expect(past.body.period.live).toBe(false);
    expect([past.body.energy.energy_kwh, past.body.deviation_history.steps]).toEqual([0, []]);
    expect(past.body.state.by_condition).toMatchObject({ unknown: 72 });
  });

  it("GET /report/judges refuses a period that ends before it begins, or is endless", async () => {
    const answer = await site.get("/report/judges?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z");
    expect([answer.status, codeOf(answer)]).toEqual([422, "SKADI_INVALID_FIELD"]);
    expect((await site.get("/report/judges?from=2000")).status).toBe(422);
  });

  it("GET /report/judges.html is a page that needs nothing else", async () => {
    const response = await fetch(`${site.aggregator.http_url}/report/judges.html`);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    const page = await response.text();
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|src=|https?:|NaN|undefined|Infinity/);
  });

  it("GET /schedules says what runs when, and what came of it", async () => {
    const { status, body } = await site.get("/schedules");
    expect(status).toBe(200);
    expect(body.schedules.map(({ name }: { name: string }) => name)).toEqual([
      "report",
      "retrain",
      "drift",
      "retention",
      "rollups",
    ]);
    for (const schedule of body.schedules) {
      expect(Date.parse(schedule.next_run)).toBeGreaterThan(Date.now());
      expect(schedule).toMatchObject({ timezone: "UTC", failures: 0, missed: 0 });
    }
  });

  it("GET /health says ok, the version and the counters", async () => {
    const { body } = await site.get("/health");
    expect(body).toMatchObject({ status: "ok", version: expect.stringMatching(/^\d/), problems: [] });
    expect(body.counters).toMatchObject({ duplicates: 1, late: 1, lost: 0 });
    expect(body.counters.rejected.SKADI_UNKNOWN_RACK).toBe(1);
  });

  it("GET /docs/json documents every route of the floor", async () => {
    const { body } = await site.get("/docs/json");
    const floor = [
      "/telemetry",
      "/telemetry/batch",
      "/ims/scores",
      "/ims/train",
      "/ims/models",
      "/state/overview",
    ];
    const rest = ["/heatmap", "/timeline", "/optimizer/tick", "/actions/apply", "/actions/log", "/mode"];
    const others = ["/demo/scenario", "/demo/scenarios", "/report/judges", "/health", "/ws/events"];
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining([...floor, ...rest, ...others]));
  });

  it("an unknown path is a structured 404", async () => {
    const answer = await site.get("/nowhere");
    expect([answer.status, codeOf(answer)]).toEqual([404, "SKADI_NOT_FOUND"]);
  });
});

describe("the control routes", () => {
  it.each([
    ["/mode", { mode: "closed_loop" }],
    ["/actions/apply", { rack_id: "R-A-01", target: "fan_rpm_pct", value: 70 }],
    ["/ims/train", {}],
    ["/optimizer/tick", undefined],
  ])("POST %s needs the token", async (path, body) => {
    const answer = await site.post(path, body);
    expect([answer.status, codeOf(answer)]).toEqual([401, "SKADI_UNAUTHORIZED"]);
  });

  it("the token lies in the data directory, for its owner alone", () => {
    expect(statSync(join(site.data_dir, "api-token")).mode & 0o777).toBe(0o600);
  });

  it("POST /mode sets mode and kill switch; GET reads them; nonsense names the field", async () => {
    const set = await site.post("/mode", { kill_switch: true }, { token: true });
    expect(set.body).toEqual({ mode: "advisory", kill_switch: true });
    expect(
      (await site.post("/mode", { mode: "closed_loop", kill_switch: false }, { token: true })).status,
    ).toBe(200);
    expect((await site.get("/mode")).body).toEqual({ mode: "closed_loop", kill_switch: false });
    const wrong = await site.post("/mode", { mode: "turbo" }, { token: true });
    expect([wrong.status, wrong.body.error.rejections[0].field]).toEqual([422, "mode"]);
    expect((await site.post("/mode", {}, { token: true })).status).toBe(422);
    await site.post("/mode", { mode: "advisory" }, { token: true });
  });

  it("POST /optimizer/tick advises, once per device and interval; GET /actions/log lists it", async () => {
    await site.post("/telemetry", sample("R-E-01"));
    const first = await site.post("/optimizer/tick", undefined, { token: true });
    expect(first.body).toMatchObject({ mode: "advisory", skipped: null });
    expect(first.body.actions[0]).toMatchObject({ source: "optimizer", outcome: "advised" });
    expect(first.body.actions[0].predicted_saving_kw).toBeGreaterThan(0);
    const devices = (actions: { rack_id: string; target: string }[]) =>
      actions.map((a) => `${a.rack_id}/${a.target}`);
    const second = await site.post("/optimizer/tick", undefined, { token: true });
    expect(devices(second.body.actions).filter((d) => devices(first.body.actions).includes(d))).toEqual([]);
    const { body } = await site.get("/actions/log?limit=1");
    expect(body.actions).toHaveLength(1);
    expect(body.total).toBe(first.body.actions.length + second.body.actions.length);
  });

  it("POST /actions/apply is refused in advisory mode, outside limits and for racks without an agent", async () => {
    const apply = (body: object) => site.post("/actions/apply", body, { token: true });
    const fan = { rack_id: "R-A-01", target: "fan_rpm_pct", value: 70 };
    expect(codeOf(await apply(fan))).toBe("SKADI_CONFLICT");
    expect((await apply({ rack_id: "R-A-01" })).status).toBe(422);
    expect(codeOf(await apply({ action_id: "no-such" }))).toBe("SKADI_NOT_FOUND");
    await site.post("/mode", { mode: "closed_loop" }, { token: true });
    expect(codeOf(await apply(fan))).toBe("SKADI_CONFLICT");
    expect(codeOf(await apply({ ...fan, rack_id: "R-Z-01" }))).toBe("SKADI_UNKNOWN_RACK");
    await site.post("/mode", { mode: "advisory" }, { token: true });
  });

  it("POST /ims/train refuses data outside its directory and data that is too little", async () => {
    const outside = await site.post("/ims/train", { data: "../../etc/passwd" }, { token: true });
    expect([outside.status, codeOf(outside)]).toEqual([422, "SKADI_BAD_DATA"]);
    const little = await site.post("/ims/train", { clusters: 100 }, { token: true });
    expect([little.status, codeOf(little)]).toEqual([422, "SKADI_BAD_DATA"]);
  });

  it("POST /demo/scenario says that there is no simulator", async () => {
    const answer = await site.post("/demo/scenario", { scenario: "heat_spike" });
    expect([answer.status, codeOf(answer)]).toEqual([503, "SKADI_NO_SIMULATOR"]);
    expect((await site.get("/demo/scenarios")).body).toEqual({
      simulator: false,
      scenarios: [],
      running: [],
    });
  });
});

describe("WS /ws/events", () => {
  async function listen(url: string) {
    // biome-ignore lint/suspicious/noExplicitAny: the tests state what they expect of the data themselves
    const events: { type: string; cursor: string; data: any }[] = [];
    const socket = new WebSocket(url);
    socket.on("message", (data) => events.push(JSON.parse(data.toString())));
    await eventually("the connection", () => socket.readyState === WebSocket.OPEN);
    return { socket, events };
  }

  it("sends every event as one JSON message", async () => {
    const events: { type: string; rack_id: string | null }[] = [];
    const socket = new WebSocket(`${site.aggregator.http_url.replace("http", "ws")}/ws/events`);
    socket.on("message", (data) => events.push(JSON.parse(data.toString())));
    await eventually("the connection", () => socket.readyState === WebSocket.OPEN);
    await site.post("/telemetry", sample("R-F-01"));
    await site.post("/mode", { kill_switch: false }, { token: true });
    await eventually(
      "score and mode",
      () => events.some((e) => e.type === "score") && events.some((e) => e.type === "mode"),
    );
    expect(events.find((e) => e.type === "score")).toMatchObject({
      rack_id: "R-F-01",
      data: { d: expect.any(Number) },
    });
    socket.close();
  });

  it("a listener that comes back with the cursor of its last event gets what it missed, scores apart", async () => {
    const url = `${site.aggregator.http_url.replace("http", "ws")}/ws/events`;
    const first = await listen(url);
    await site.post("/mode", { kill_switch: false }, { token: true });
    const { cursor } = await eventually("the mode", () => first.events.find((e) => e.type === "mode"));
    first.socket.close();
    await site.post("/telemetry", sample("R-F-02"));
    await site.post("/mode", { mode: "closed_loop", scope: { row: "F" } }, { token: true });
    await site.post("/mode", { mode: null, scope: { row: "F" } }, { token: true });

    const again = await listen(`${url}?since=${cursor}`);
    await eventually("both changes", () => again.events.filter((e) => e.type === "mode").length === 2);
    expect(again.events.map((e) => e.type)).toEqual(["mode", "mode"]);
    again.socket.close();
  });

  it.each(["elsewhere-7", "nonsense", "0-0"])(
    "a cursor that is not known (%s) is answered by a gap",
    async (cursor) => {
      const url = `${site.aggregator.http_url.replace("http", "ws")}/ws/events?since=${cursor}`;
      const { socket, events } = await listen(url);
      expect(await eventually("the gap", () => events[0])).toMatchObject({ type: "gap", data: {} });
      socket.close();
    },
  );

  it("with overview=1 the site's figures come once a second, and of the racks those that changed", async () => {
    const url = `${site.aggregator.http_url.replace("http", "ws")}/ws/events?overview=1`;
    const { socket, events } = await listen(url);
    const overviews = () => events.filter((e) => e.type === "overview");
    await eventually("two overviews", () => overviews().length >= 2);
    expect(overviews()[0]?.data.rack_list).toHaveLength(72);
    expect(overviews()[1]?.data).toMatchObject({ site: "dc1", time_zone: "UTC", rack_list: [] });

    await site.post("/telemetry", sample("R-F-03"));
    const changed = await eventually("the change", () =>
      overviews().find((e, i) => i > 0 && e.data.rack_list.length > 0),
    );
    expect(changed.data.rack_list).toMatchObject([{ rack_id: "R-F-03", d: expect.any(Number) }]);
    socket.close();
  });

  it("is closed to pages of other sites", async () => {
    const url = `${site.aggregator.http_url.replace("http", "ws")}/ws/events`;
    const socket = new WebSocket(url, { origin: "https://elsewhere.example" });
    const status = await new Promise((resolve) => {
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
      socket.on("open", () => resolve("open"));
    });
    expect(status).toBe(401);
  });

  it("answers a plain request with a structured error", async () => {
    expect((await site.get("/ws/events")).status).toBe(422);
  });
});

describe("the pages", () => {
  it.each([
    ["/", "text/html"],
    ["/docs/", "text/html"],
  ])("GET %s is served with a content security policy that lets no foreign script in", async (path, type) => {
    const response = await fetch(`${site.aggregator.http_url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
    await response.arrayBuffer();
  });

  it("the dashboard's page is asked for anew, its script and style are kept by their names and sent compressed", async () => {
    const page = await fetch(`${site.aggregator.http_url}/`);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const assets = (await page.text()).match(/\/assets\/[\w-]+\.(js|css)/g) ?? [];
    expect(assets).toHaveLength(2);
    for (const asset of assets) {
      const { status, headers } = await fetch(`${site.aggregator.http_url}${asset}`);
      expect([status, headers.get("content-encoding")]).toEqual([200, expect.stringMatching(/^(br|gzip)$/)]);
      expect(headers.get("cache-control")).toContain("immutable");
    }
  });
});

it("whoever has the token controls the site, however many others ask at the same address", async () => {
  const busy = await testSite({ config: { http: { port: 0, requests_per_minute: 3 } } });
  onTestFinished(() => busy.close());
  const withToken = async (token: string) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({ kill_switch: true });
    return (await fetch(`${busy.aggregator.http_url}/mode`, { method: "POST", headers, body })).status;
  };
  for (let i = 0; i < 4; i++) expect(await withToken(busy.aggregator.api_token)).toBe(200);
  // Wrong tokens count, also at routes that refuse them: nobody tries tokens as fast as the network goes.
  const tried = [];
  for (let i = 0; i < 4; i++) tried.push(await withToken(`wrong${i}`));
  expect(tried).toEqual([401, 401, 401, 429]);
  expect((await busy.get("/mode")).status).toBe(429);
  expect(await withToken(busy.aggregator.api_token)).toBe(200);
});

it("a site that asks too often is told so", async () => {
  const busy = await testSite({
    config: { http: { port: 0, requests_per_minute: 3 } },
    clock: virtualClock(),
  });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await busy.get("/mode")).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  await busy.close();
});
