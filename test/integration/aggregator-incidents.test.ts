import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { webhookSignature } from "../../aggregator/notify/webhook.ts";
import type { Incident } from "../../shared/contracts/incident.ts";
import type { Score } from "../../shared/contracts/score.ts";
import { incidentTopic } from "../../shared/contracts/topics.ts";
import { isoTime, type VirtualClock, virtualClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { type SmtpServer, smtpServer } from "../support/smtp-server.ts";
import { agentStatus, HOT, SITE, sample, type TestSite, testSite, topicOf } from "./aggregator-harness.ts";

let site: TestSite;
let clock: VirtualClock;
let seq = 0;

async function open(config: object = {}): Promise<void> {
  clock = virtualClock(Date.now());
  site = await testSite({ config, clock });
}

/** One telemetry sample after another, at the clock's own pace. */
async function send(rack_id: string, count: number, changes: object = {}): Promise<void> {
  const samples = [];
  for (let n = 0; n < count; n++) {
    clock.advance(1_000);
    samples.push(sample(rack_id, { ts: isoTime(clock.now()), seq: ++seq, ...changes }));
  }
  const { body } = await site.post("/telemetry", { samples });
  expect(body.accepted).toBe(count);
}

const listed = async (query = ""): Promise<Incident[]> =>
  (await site.get(`/incidents${query}`)).body.incidents;
const word = (id: string, what: string, body: object = {}) =>
  site.post(`/incidents/${id}/${what}`, { by: "ann", ...body }, { token: true });

/** R-C-03 gets hot until MMS says persistent, and the next look finds it. */
async function heatUp(rack_id = "R-C-03"): Promise<void> {
  await send(rack_id, 8, HOT);
  clock.advance(5_000);
}

async function coolDown(rack_id = "R-C-03"): Promise<void> {
  await send(rack_id, 30);
  clock.advance(5_000);
}

afterEach(() => site.close());

describe("an incident", () => {
  beforeEach(() => open());

  it("opens with a persistent rack, is seen everywhere, and closes by itself when the rack is well", async () => {
    const socket = new WebSocket(`${site.aggregator.http_url.replace("http", "ws")}/ws/events`);
    const events: { type: string; data: { change?: string } }[] = [];
    socket.on("message", (data) => events.push(JSON.parse(String(data))));
    await new Promise((resolve) => socket.once("open", resolve));
    await heatUp();
    const [incident] = await listed("?status=open");
    expect(incident).toMatchObject({ scope: "rack", row: "C", severity: "critical", closed_at: null });
    expect(incident!.racks.map(({ rack_id }) => rack_id)).toEqual(["R-C-03"]);
    expect(incident!.verdict!.causes.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1, 9);
    expect((await site.get("/state/overview")).body.incidents).toMatchObject([
      { id: incident!.id, racks: ["R-C-03"] },
    ]);
    expect((await site.get("/report/judges")).body.incidents.list[0].id).toBe(incident!.id);
    await eventually("the event", () => events.some(({ type }) => type === "incident"));

    await coolDown();
    clock.advance(610_000);
    expect(await listed("?status=open")).toEqual([]);
    const { body } = await site.get(`/incidents/${incident!.id}`);
    expect(body.incident).toMatchObject({ status: "closed", closed_by: "skadi" });
    expect(body.incident.timeline[0].kind).toBe("opened");
    expect(body.incident.timeline.at(-1).kind).toBe("closed");
    socket.close();
  });

  it("is acknowledged, annotated, judged and closed by people, each with a name in its timeline", async () => {
    await heatUp();
    const [{ id }] = (await listed()) as [Incident];
    expect((await word(id, "ack")).body.incident).toMatchObject({
      status: "acknowledged",
      acknowledged_by: "ann",
    });
    expect((await word(id, "annotate", { text: "on my way" })).status).toBe(200);
    const before = (await site.get("/mms")).body;
    expect((await word(id, "confirm")).body.incident.judged).toBe("confirmed");
    const after = (await site.get("/mms")).body;
    expect(after).toMatchObject({ confirmed: 1, rejected: 0 });
    expect(after.anomalous_d).not.toBe(before.anomalous_d);
    const { body } = await word(id, "close", { text: "fixed" });
    expect(body.incident).toMatchObject({ status: "closed", closed_by: "ann" });
    const by_ann = body.incident.timeline.filter(({ by }: { by: string }) => by === "ann");
    expect(by_ann.map(({ kind }: { kind: string }) => kind)).toEqual([
      "acknowledged",
      "annotated",
      "confirmed",
      "closed",
    ]);
    clock.advance(60_000);
    expect(await listed("?status=open")).toEqual([]);
    expect((await site.post("/mms/reset", undefined, { token: true })).body).toMatchObject({ confirmed: 0 });
  });

  it("wants the token, an id that exists, and a state that allows it", async () => {
    await heatUp();
    const [{ id }] = (await listed()) as [Incident];
    expect((await site.post(`/incidents/${id}/ack`, {})).status).toBe(401);
    expect((await word("nobody", "ack")).status).toBe(404);
    expect((await site.get("/incidents/nobody")).status).toBe(404);
    expect((await word(id, "annotate", { text: "" })).status).toBe(422);
    await word(id, "reject");
    expect((await word(id, "confirm")).status).toBe(409);
    await word(id, "close");
    expect((await word(id, "close")).status).toBe(409);
  });

  it("survives a restart, with its maintenance windows, and goes on where it was", async () => {
    await heatUp();
    const [before] = (await listed()) as [Incident];
    await word(before.id, "annotate", { text: "seen" });
    const to = isoTime(clock.now() + 3_600_000);
    const plan = { row: "E", to, reason: "filters" };
    const { body } = await site.post("/maintenance", plan, { token: true });
    await site.restart();
    await send("R-C-03", 2, HOT);
    clock.advance(5_000);
    const after = await listed();
    expect(after.map(({ id }) => id)).toEqual([before.id]);
    expect(after[0]!.timeline.some(({ text }) => text === "seen")).toBe(true);
    expect((await site.get("/maintenance")).body.windows).toEqual([body.window]);
  });

  it("that was closed by hand stays closed over a restart for as long as its alarm stands", async () => {
    await heatUp();
    const [{ id }] = (await listed()) as [Incident];
    await word(id, "close", { text: "a part is ordered" });
    clock.advance(2_400_000);
    await site.restart();
    await send("R-C-03", 2, HOT);
    clock.advance(5_000);
    expect(await listed()).toMatchObject([{ id, status: "closed" }]);
    await coolDown();
    await heatUp();
    expect(await listed("?status=open")).toHaveLength(1);
  });

  it("of a row is one, however many of its racks are hot", async () => {
    for (let n = 1; n <= 6; n++) await heatUp(`R-C-0${n}`);
    const all = await listed();
    const shown = all.filter(({ merged_into }) => merged_into === null);
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatchObject({ scope: "row", row: "C", severity: "critical" });
    expect(shown[0]!.racks).toHaveLength(6);
  });
});

describe("what agents say of their racks", () => {
  it("a sensor that they name is an incident of its own, without MMS", async () => {
    await open();
    const client = await site.mqtt();
    await client.publish(topicOf("R-A-01", "status"), agentStatus("R-A-01", "online"), true);
    for (let n = 0; n < 20; n++) {
      clock.advance(5_000);
      const telemetry = sample("R-A-01", { ts: isoTime(clock.now()), seq: ++seq });
      await client.publish(topicOf("R-A-01", "telemetry"), telemetry);
      const { model_id } = (await site.get("/health")).body;
      const score: Partial<Score> = {
        ts: telemetry.ts,
        rack_id: "R-A-01",
        seq,
        d: 1,
        tau_fast: 2,
        tau_persist: 2.5,
      };
      const about = { cluster: 0, contributions: {}, model_id, state: "nominal", scored_by: "agent" };
      const sensors = [{ field: "fan_rpm_pct", problem: "stuck" }];
      await client.publish(topicOf("R-A-01", "score"), { ...score, ...about, sensors });
    }
    clock.advance(5_000);
    const [incident] = await listed();
    expect(incident).toMatchObject({
      severity: "warning",
      verdict: { cause: "sensor_fault", sub_cause: "stuck" },
      title: "R-A-01: sensor fault, fan_rpm_pct: stuck",
    });
  });

  /** One sample every 5 s, each sent when it is taken by a clock that is so far behind. */
  async function sendLive(rack_id: string, count: number, behind_s: number, changes: object = {}) {
    for (let n = 0; n < count; n++) {
      clock.advance(5_000);
      const ts = isoTime(clock.now() - behind_s * 1_000);
      await site.post("/telemetry", { samples: [sample(rack_id, { ts, seq: ++seq, ...changes })] });
    }
    clock.advance(5_000);
  }

  it("counts in full where their clock is slow, and operators are told of the clock", async () => {
    await open();
    await sendLive("R-C-03", 40, 180, HOT);
    expect(await listed()).toMatchObject([{ severity: "critical", verdict: expect.anything() }]);
    const { body } = await site.get("/report/judges");
    expect(JSON.stringify(body)).toContain("the agent's clock is 180 s behind ours");
  });

  it("of a past that an outbox catches up with raises no alarm about it", async () => {
    await open();
    await sendLive("R-C-03", 40, 0);
    const away_ms = clock.now();
    clock.advance(900_000);
    const samples = Array.from({ length: 60 }, (_, n) =>
      sample("R-C-03", { ts: isoTime(away_ms + n * 5_000), seq: ++seq, ...HOT }),
    );
    // One after another, over a minute, as an agent does.
    for (const old of samples) {
      clock.advance(1_000);
      await site.post("/telemetry", { samples: [old] });
    }
    expect((await listed()).filter(({ severity }) => severity === "critical")).toEqual([]);
  });

  it("in likelihood mode a rack that was persistent is so after a restart", async () => {
    await open({ mms: { mode: "likelihood" } });
    await send("R-B-02", 12, HOT);
    const state = async () =>
      (await site.get("/state/overview")).body.rack_list.find(
        (r: { rack_id: string }) => r.rack_id === "R-B-02",
      ).mms_state;
    expect(await state()).toBe("persistent");
    await site.restart();
    expect(await state()).toBe("persistent");
    await send("R-B-02", 12);
    expect(await state()).toBe("transient");
  });
});

describe("maintenance", () => {
  beforeEach(() => open());

  it("marks incidents that begin meanwhile, and is refused for what is not here", async () => {
    const to = isoTime(clock.now() + 3_600_000);
    const made = await site.post("/maintenance", { rack_id: "R-C-03", to }, { token: true });
    expect(made.status).toBe(200);
    await heatUp();
    expect(await listed()).toMatchObject([{ maintenance: true }]);
    expect((await site.post("/maintenance", { rack_id: "R-Z-99", to }, { token: true })).status).toBe(422);
    expect((await site.post("/maintenance", { row: "Z", to }, { token: true })).status).toBe(422);
    const past = { to: isoTime(clock.now() - 1_000) };
    expect((await site.post("/maintenance", past, { token: true })).status).toBe(422);
    expect((await site.post("/maintenance", { to })).status).toBe(401);
    const headers = { authorization: `Bearer ${site.aggregator.api_token}` };
    const gone = () =>
      fetch(`${site.aggregator.http_url}/maintenance/${made.body.window.id}`, { method: "DELETE", headers });
    expect((await gone()).status).toBe(200);
    expect((await gone()).status).toBe(404);
    expect((await site.get("/maintenance")).body.windows).toEqual([]);
  });
});

describe("people are told", () => {
  const SECRET = "0123456789abcdef";
  let hook: Server;
  let mail: SmtpServer;
  const calls: { headers: IncomingHttpHeaders; body: string }[] = [];
  let answer = 200;

  beforeEach(async () => {
    calls.length = 0;
    answer = 200;
    hook = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      request.on("end", () => {
        calls.push({ headers: request.headers, body });
        response.statusCode = answer;
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    mail = await smtpServer();
    const address = hook.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await open({
      notify: {
        hold_s: 0,
        webhook: { url: `http://127.0.0.1:${port}/token-in-path`, secret: SECRET },
        email: { smtp_url: `smtp://127.0.0.1:${mail.port}`, to: ["ops@example.org"] },
      },
    });
  });
  afterEach(async () => {
    await mail.close();
    hook.closeAllConnections();
    await new Promise<void>((resolve) => hook.close(() => resolve()));
  });

  /** Lets the site's clock go on until it is so. */
  const inTime = <T>(what: string, probe: () => T) =>
    eventually(what, () => {
      clock.advance(1_000);
      return probe();
    });

  it("by a signed webhook, and by mail", async () => {
    await heatUp();
    await inTime("the webhook", () => calls.length > 0);
    const { headers, body } = calls[0]!;
    expect(headers["x-skadi-signature"]).toBe(webhookSignature(body, SECRET));
    expect(JSON.parse(body)).toMatchObject({ v: 1, site: SITE, incidents: [{ row: "C", status: "open" }] });
    await inTime("the mail", () => mail.mails.length > 0);
    expect(mail.mails[0]).toMatchObject({ from: "skadi@localhost", to: ["ops@example.org"] });
    expect(mail.mails[0]!.data).toContain("Subject: [Skadi dc1] critical: R-C-03");
  });

  it("again until it works; failures are counted and hold nothing up", async () => {
    answer = 500;
    mail.refuse_next = 2;
    await heatUp();
    await inTime("three attempts", () => calls.length >= 3);
    await send("R-A-01", 5);
    answer = 200;
    await inTime("a mail in the end", () => mail.mails.length > 0);
    await eventually("the webhook's success", async () => {
      clock.advance(1_000);
      const { notifications } = (await site.get("/health")).body;
      return (
        notifications.webhook.sent > 0 &&
        notifications.webhook.failed >= 3 &&
        notifications.email.failed === 2
      );
    });
  });

  it("after a restart, of what a channel had not taken before it, and not again of the rest", async () => {
    answer = 500;
    await heatUp();
    await inTime("a failed call", () => calls.length > 0);
    await inTime("the mail", () => mail.mails.length > 0);
    // What a channel does not know yet to have been taken may come again.
    await eventually("its receipt", async () => {
      const { email, webhook } = (await site.get("/health")).body.notifications;
      return email.sent > 0 && webhook.failed >= calls.length;
    });
    answer = 200;
    const failed = calls.length;
    await site.restart();
    await inTime("the webhook", () => calls.length > failed);
    await eventually("its success", async () => {
      clock.advance(1_000);
      return (await site.get("/health")).body.notifications.webhook.sent > 0;
    });
    await site.restart();
    clock.advance(60_000);
    await send("R-A-01", 1);
    expect(calls).toHaveLength(failed + 1);
    expect(mail.mails).toHaveLength(1);
  });

  it("not of what happens under maintenance", async () => {
    await site.post("/maintenance", { to: isoTime(clock.now() + 3_600_000) }, { token: true });
    await heatUp();
    expect(await listed()).toHaveLength(1);
    clock.advance(60_000);
    await send("R-A-01", 1);
    expect((await site.get("/health")).body.notifications).toMatchObject({
      webhook: { sent: 0, failed: 0, waiting: 0 },
      email: { sent: 0, failed: 0, waiting: 0 },
    });
  });

  it("on the broker as long as it lasts: retained, by nobody but the aggregator, and gone at the end", async () => {
    await heatUp();
    const [{ id }] = (await listed()) as [Incident];
    const topic = incidentTopic(SITE, id);
    const late = await site.mqtt();
    expect(await late.received<Incident>(topic)).toMatchObject({ id, status: "open" });
    const refused = site.aggregator.counters().refused_publishes;
    await late.publish(incidentTopic(SITE, "forged"), { id: "forged" }, true);
    expect(site.aggregator.counters().refused_publishes).toBe(refused + 1);
    await word(id, "close");
    await eventually("the end of it", () => late.all(topic).includes(""));
    const after = await site.mqtt();
    await after.publish(
      topicOf("R-A-01", "telemetry"),
      sample("R-A-01", { ts: isoTime(clock.now()), seq: ++seq }),
    );
    await after.received(topicOf("R-A-01", "score"));
    expect(after.all(topic)).toEqual([]);
  });
});
