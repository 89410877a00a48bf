import { describe, expect, it } from "vitest";
import { createChannel, type Transport } from "../../../aggregator/notify/channel.ts";
import type { Notice } from "../../../aggregator/notify/message.ts";
import type { Incident } from "../../../shared/contracts/incident.ts";
import { createLog } from "../../../shared/log.ts";
import { virtualClock } from "../../../shared/time.ts";

const settings = { per_hour: 5, digest_from: 3, attempts: 4, retry_s: 2 };

function incident(id: string, changes: Partial<Incident> = {}): Incident {
  const ts = "2026-01-01T00:00:00.000Z";
  return {
    ...{ v: 1, id, scope: "rack", row: "A", status: "open", severity: "warning", title: `${id}: fan fault` },
    ...{ opened_at: ts, updated_at: ts, closed_at: null, closed_by: null, acknowledged_by: null },
    ...{
      maintenance: false,
      judged: null,
      reopened: 0,
      merged_into: null,
      verdict: null,
      racks: [],
      timeline: [],
    },
    ...changes,
  };
}

/** A channel on a clock of its own, and a transport that fails as long as `failing` says. */
function channel() {
  const clock = virtualClock();
  const arrived: Notice[] = [];
  const attempts_ms: number[] = [];
  const state = { failing: 0 };
  const transport: Transport = {
    name: "test",
    async send(notice) {
      attempts_ms.push(clock.now());
      if (state.failing-- > 0) throw new Error("not now");
      arrived.push(notice);
    },
  };
  const log = createLog("test", "silent");
  const made = createChannel({ site: "dc1", transport, settings, clock, log });
  const pass = async (seconds: number) => {
    for (let s = 0; s <= seconds; s++) {
      clock.advance(s === 0 ? 0 : 1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { made, arrived, attempts_ms, state, pass };
}

describe("a notification channel", () => {
  it("sends one message per incident, with what matters in the subject", async () => {
    const { made, arrived, pass } = channel();
    made.offer(incident("a", { severity: "critical" }));
    await pass(2);
    expect(arrived).toMatchObject([{ subject: "[Skadi dc1] critical: a: fan fault" }]);
    expect(made.counts()).toEqual({ sent: 1, failed: 0, given_up: 0, waiting: 0 });
  });

  it("tries again with doubling waits, and loses nothing meanwhile", async () => {
    const { made, arrived, attempts_ms, state, pass } = channel();
    state.failing = 2;
    made.offer(incident("a"));
    await pass(1);
    made.offer(incident("b"));
    await pass(10);
    expect(attempts_ms.slice(0, 3).map((at, i, all) => at - (all[i - 1] ?? at))).toEqual([0, 2_000, 4_000]);
    expect(arrived.flatMap(({ incidents }) => incidents.map(({ id }) => id))).toEqual(["a", "b"]);
    expect(made.counts()).toMatchObject({ sent: 2, failed: 2, given_up: 0 });
  });

  it("gives up after so many attempts, says so in its counts, and goes on with the next", async () => {
    const { made, arrived, state, pass } = channel();
    state.failing = 4;
    made.offer(incident("a"));
    await pass(20);
    made.offer(incident("b"));
    await pass(5);
    expect(made.counts()).toMatchObject({ sent: 1, failed: 4, given_up: 1 });
    expect(arrived.map(({ incidents }) => incidents[0]!.id)).toEqual(["b"]);
  });

  it("makes one digest of many that wait", async () => {
    const { made, arrived, pass } = channel();
    for (const id of ["a", "b", "c", "d"]) made.offer(incident(id));
    await pass(3);
    expect(arrived).toHaveLength(1);
    expect(arrived[0]!.subject).toBe("[Skadi dc1] 4 incidents");
    expect(arrived[0]!.text.split("\n")).toHaveLength(4);
  });

  it("a newer word on an incident replaces the one that still waits", async () => {
    const { made, arrived, pass } = channel();
    made.offer(incident("a"));
    made.offer(incident("a", { severity: "critical" }));
    await pass(3);
    expect(arrived.map(({ subject }) => subject)).toEqual(["[Skadi dc1] critical: a: fan fault"]);
  });

  it("sends no more than allowed in an hour; what is too much comes as a digest", async () => {
    const { made, arrived, pass } = channel();
    for (let n = 0; n < 20; n++) {
      made.offer(incident(`i${n}`));
      await pass(30);
    }
    expect(arrived).toHaveLength(5);
    await pass(3_600);
    expect(arrived).toHaveLength(6);
    expect(new Set(arrived.flatMap(({ incidents }) => incidents.map(({ id }) => id))).size).toBe(20);
  });

  it("after the end nothing is sent any more", async () => {
    const { made, arrived, pass } = channel();
    made.stop();
    made.offer(incident("a"));
    await pass(3);
    expect(arrived).toEqual([]);
  });
});
