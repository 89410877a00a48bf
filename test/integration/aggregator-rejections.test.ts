import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ack } from "../../shared/contracts/messages.ts";
import type { Score } from "../../shared/contracts/score.ts";
import { type ErrorCode, reject } from "../../shared/errors.ts";
import { eventually } from "../support/eventually.ts";
import {
  agentStatus,
  sample,
  type TestClient,
  type TestSite,
  testSite,
  topicOf,
} from "./aggregator-harness.ts";

let site: TestSite;
let client: TestClient;
beforeAll(async () => {
  site = await testSite();
  client = await site.mqtt();
});
afterAll(() => site.close());

const text = (changes: object) => JSON.stringify(sample("R-A-01", changes));
const ONE_MB = 1_000_000;

/** What the issue names: the payload, the code, and the field that the rejection must name. */
const BAD: [what: string, payload: string, code: ErrorCode, field: string, status: number][] = [
  ["malformed JSON", '{"ts": "2026-01-01T00:00:00Z", "rack_id": ', "SKADI_MALFORMED_JSON", "(payload)", 422],
  ["a wrong type", text({ inlet_c: "hot" }), "SKADI_INVALID_FIELD", "inlet_c", 422],
  ["NaN", text({}).replace('"pdu_kw":8', '"pdu_kw":NaN'), "SKADI_NOT_FINITE", "pdu_kw", 422],
  [
    "a number beyond all bounds",
    text({}).replace('"pdu_kw":8', '"pdu_kw":1e999'),
    "SKADI_NOT_FINITE",
    "pdu_kw",
    422,
  ],
  ["1 MB", text({ padding: "x".repeat(ONE_MB) }), "SKADI_PAYLOAD_TOO_LARGE", "(payload)", 413],
  ["a future major version", text({ v: 2 }), "SKADI_UNSUPPORTED_VERSION", "v", 422],
];

describe.each(BAD)("%s", (what, payload, code, field, status) => {
  // A rack of its own for each, so that its acknowledgements are not taken for another's.
  const rack_id = `R-F-0${1 + BAD.findIndex((row) => row[0] === what)}`;

  it("over MQTT: counter, a negative acknowledgement that names the field, and the next sample is accepted", async () => {
    const before = site.aggregator.counters();
    await client.publish(topicOf(rack_id, "telemetry"), payload);
    const ack = await client.received<Ack>(topicOf(rack_id, "ack"), (a) =>
      a.errors.some((e) => e.code === code && e.field === field),
    );
    expect(ack).toMatchObject({ of: "telemetry", ok: false, rack_id });
    expect(site.aggregator.counters().rejected[code]).toBe((before.rejected[code] ?? 0) + 1);
    await client.publish(topicOf(rack_id, "telemetry"), sample(rack_id));
    await eventually("the next sample", () => site.aggregator.counters().accepted === before.accepted + 1);
  });

  it("over HTTP: counter, an answer that names the field, and the next sample is accepted", async () => {
    const before = site.aggregator.counters();
    const answer = await site.post("/telemetry", payload, { raw: true });
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ code, rejections: [{ code, field }] });
    expect(site.aggregator.counters().rejected[code]).toBe((before.rejected[code] ?? 0) + 1);
    expect((await site.post("/telemetry", sample("R-A-02"))).body).toMatchObject({ accepted: 1 });
  });
});

describe("racks", () => {
  it("that the site does not have are refused, with an acknowledgement on their own topic", async () => {
    await client.publish(topicOf("R-Z-42", "telemetry"), sample("R-Z-42"));
    const ack = await client.received<Ack>(topicOf("R-Z-42", "ack"));
    expect(ack.errors[0]).toMatchObject({ code: "SKADI_UNKNOWN_RACK", field: "rack_id", value: "R-Z-42" });
    const answer = await site.post("/telemetry", sample("R-Z-42"));
    expect([answer.status, answer.body.error.code]).toEqual([422, "SKADI_UNKNOWN_RACK"]);
  });

  it("cannot speak for each other", async () => {
    await client.publish(topicOf("R-B-01", "telemetry"), sample("R-B-02"));
    const ack = await client.received<Ack>(topicOf("R-B-01", "ack"));
    expect(ack.errors[0]).toMatchObject({ code: "SKADI_RACK_MISMATCH", value: "R-B-02", expected: "R-B-01" });
  });

  it("with a name that is none are counted, not answered", async () => {
    const before = site.aggregator.counters().rejected_total;
    await client.publish("skadi/v1/dc1/not a rack/telemetry", "{}");
    await eventually("the count", () => site.aggregator.counters().rejected_total === before + 1);
    expect(client.all("skadi/v1/dc1/not a rack/ack")).toHaveLength(0);
  });
});

describe("the other channels", () => {
  it.each(["score", "action", "status"] as const)("refuse nonsense on %s and say so", async (channel) => {
    await client.publish(topicOf("R-B-05", channel), "nonsense");
    const ack = await client.received<Ack>(topicOf("R-B-05", "ack"), (a) => a.of === channel);
    expect(ack.errors[0]?.code).toBe("SKADI_MALFORMED_JSON");
  });

  it("do not start an endless exchange over a broken acknowledgement", async () => {
    const before = site.aggregator.counters().rejected_total;
    await client.publish(topicOf("R-B-06", "ack"), "nonsense");
    await eventually("the count", () => site.aggregator.counters().rejected_total === before + 1);
    await client.publish(topicOf("R-B-06", "telemetry"), sample("R-B-06"));
    await client.received(topicOf("R-B-06", "score"));
    expect(client.all(topicOf("R-B-06", "ack"))).toHaveLength(1);
  });

  it("a rejection on the ack topic is itself a valid message that nobody answers", async () => {
    const before = site.aggregator.counters().rejected_total;
    const ack: Ack = {
      v: 1,
      ts: sample("R-B-07").ts,
      rack_id: "R-B-07",
      of: "telemetry",
      ok: false,
      errors: [reject("SKADI_NOT_FINITE")],
    };
    await client.publish(topicOf("R-B-07", "ack"), ack);
    await client.publish(topicOf("R-B-07", "telemetry"), sample("R-B-07"));
    await client.received(topicOf("R-B-07", "score"));
    expect(site.aggregator.counters().rejected_total).toBe(before);
  });
});

describe("who scores", () => {
  it("a rack without an agent is scored here, and the score is published", async () => {
    await client.publish(topicOf("R-C-01", "telemetry"), sample("R-C-01", { seq: 1 }));
    const score = await client.received<Score>(topicOf("R-C-01", "score"));
    expect(score).toMatchObject({ seq: 1, scored_by: "aggregator", state: "nominal" });
    expect(site.aggregator.counters().scores_orphan).toBe(0);
  });

  it("a rack with an agent online is scored by its agent; its score joins the sample, once", async () => {
    await client.publish(topicOf("R-C-02", "status"), agentStatus("R-C-02", "online"), true);
    const answer = await site.post("/telemetry", sample("R-C-02", { seq: 7 }));
    expect(answer.body).toMatchObject({ accepted: 1, scores: [] });
    const like = await client.received<Score>(topicOf("R-C-01", "score"));
    const score: Score = { ...like, rack_id: "R-C-02", seq: 7, d: 1.25, scored_by: "agent" };
    const before = site.aggregator.counters();
    await client.publish(topicOf("R-C-02", "score"), score);
    await client.publish(topicOf("R-C-02", "score"), { ...score, d: 9 });
    await client.publish(topicOf("R-C-02", "score"), { ...score, seq: 8 });
    await eventually("the orphan", () => site.aggregator.counters().scores_orphan === 1);
    expect(site.aggregator.counters()).toMatchObject({
      scores_agent: before.scores_agent + 1,
      scores_second: before.scores_second + 1,
    });
    const { body } = await site.get("/state/overview");
    const rack = body.rack_list.find((r: { rack_id: string }) => r.rack_id === "R-C-02");
    expect(rack).toMatchObject({ agent_online: true, scored_by: "agent", d: 1.25, mms_ema: 1.25 });
  });

  it("when the agent goes away the aggregator takes over", async () => {
    await client.publish(topicOf("R-C-03", "status"), agentStatus("R-C-03", "online"), true);
    await client.publish(topicOf("R-C-03", "status"), agentStatus("R-C-03", "offline"), true);
    await client.publish(topicOf("R-C-03", "telemetry"), sample("R-C-03"));
    expect(await client.received<Score>(topicOf("R-C-03", "score"))).toMatchObject({
      scored_by: "aggregator",
    });
  });
});
