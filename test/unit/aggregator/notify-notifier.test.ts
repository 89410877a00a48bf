import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Transport } from "../../../aggregator/notify/channel.ts";
import { createNotifier, type Notifier } from "../../../aggregator/notify/notifier.ts";
import { openSqliteStore } from "../../../aggregator/store/sqlite/sqlite-store.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { Incident, IncidentNote } from "../../../shared/contracts/incident.ts";
import { createLog } from "../../../shared/log.ts";
import { isoTime, virtualClock } from "../../../shared/time.ts";
import { quickFolder } from "../../support/temporary.ts";

const log = createLog("test", "silent");
const MINUTE_S = 60;

/** Incidents, the store that keeps them, and people at the ends of two channels that a test may cut. */
function site(notify: object = {}) {
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const { notify: config } = AggregatorConfig.parse({ notify: { hold_s: MINUTE_S, ...notify } });
  const store = openSqliteStore(join(quickFolder(), "store.db"), { flush_ms: 60_000, log });
  onTestFinished(() => store.close());
  const incidents = new Map<string, Incident>();
  const heard: string[] = [];
  const broken = new Set<string>();
  const retained: string[] = [];
  const transport = (name: string): Transport => ({
    name,
    async send(notice) {
      if (broken.has(name)) throw new Error("not now");
      for (const { id, status, severity } of notice.incidents)
        heard.push(`${name}: ${id} ${status === "closed" ? "over" : severity}`);
    },
  });
  const active = () => [...incidents.values()].filter(({ status }) => status !== "closed");
  const open = (names: readonly string[]): Notifier => {
    const publish = (_topic: string, message: object | null) => {
      retained.push(message === null ? "null" : (message as Incident).id);
    };
    const transports = names.map(transport);
    const made = createNotifier({ site: "dc1", config, transports, store, clock, log, publish });
    made.start(active());
    return made;
  };
  let notifier = open(["webhook"]);
  onTestFinished(() => notifier.stop());
  return {
    ...{ heard, broken, retained, store },
    republish: () => notifier.republish(active()),
    /** An incident opens, or something happens to it. */
    change(id: string, kind: IncidentNote["kind"], changes: Partial<Incident> = {}) {
      const ts = isoTime(clock.now());
      const before = incidents.get(id) ?? newIncident(id, ts);
      const timeline = [...before.timeline, { ts, kind, by: "skadi", text: "" }];
      const incident = { ...before, timeline, updated_at: ts, ...changes };
      incidents.set(id, incident);
      store.incidents.put(incident);
      notifier.onChange(incident);
    },
    close(id: string, changes: Partial<Incident> = {}) {
      this.change(id, "closed", { status: "closed", closed_at: isoTime(clock.now()), ...changes });
    },
    async pass(seconds: number) {
      for (let s = 0; s < seconds; s++) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    restart(names = ["webhook"]) {
      notifier.stop();
      notifier = open(names);
    },
    kept: () => store.settings.get("notifications"),
  };
}

const newIncident = (id: string, ts: string): Incident => ({
  ...{ v: 1, id, scope: "rack", row: "A", status: "open", severity: "warning", title: `${id}: fan fault` },
  ...{ opened_at: ts, updated_at: ts, closed_at: null, closed_by: null, acknowledged_by: null },
  ...{ maintenance: false, judged: null, reopened: 0, merged_into: null, verdict: null },
  ...{ racks: [], timeline: [] },
});

describe("people are told of an incident once", () => {
  it("that stands for a while, and of its end; not of one that is over before", async () => {
    const s = site();
    s.change("a", "opened");
    s.change("b", "opened");
    await s.pass(30);
    s.close("b");
    await s.pass(40);
    expect(s.heard).toEqual(["webhook: a warning"]);
    s.close("a");
    await s.pass(5);
    expect(s.heard).toEqual(["webhook: a warning", "webhook: a over"]);
  });

  it("not again after a restart, nor after the broker was away", async () => {
    const s = site();
    s.change("a", "opened");
    await s.pass(70);
    s.restart();
    s.republish();
    await s.pass(5 * MINUTE_S);
    expect(s.heard).toEqual(["webhook: a warning"]);
    s.close("a");
    await s.pass(5);
    expect(s.heard.at(-1)).toBe("webhook: a over");
  });

  it("that opened shortly before a restart: when it has stood for as long as any other", async () => {
    const s = site();
    s.change("a", "opened");
    await s.pass(30);
    s.restart();
    await s.pass(25);
    expect(s.heard).toEqual([]);
    await s.pass(10);
    expect(s.heard).toEqual(["webhook: a warning"]);
  });

  it("that was open while no channel was configured", async () => {
    const s = site();
    s.restart([]);
    s.change("a", "opened");
    await s.pass(5 * MINUTE_S);
    s.restart();
    await s.pass(5);
    expect(s.heard).toEqual(["webhook: a warning"]);
  });

  it("that outlasts the maintenance it began in, whatever was away meanwhile", async () => {
    const s = site();
    s.change("a", "opened", { maintenance: true });
    await s.pass(10);
    s.republish();
    await s.pass(10);
    s.restart();
    await s.pass(5 * MINUTE_S);
    expect(s.heard).toEqual([]);
    s.change("a", "maintenance_over", { maintenance: false });
    await s.pass(70);
    expect(s.heard).toEqual(["webhook: a warning"]);
  });
});

describe("what a channel had not taken when we stopped comes after the start", () => {
  it("a first word", async () => {
    const s = site();
    s.broken.add("webhook");
    s.change("a", "opened", { severity: "critical" });
    await s.pass(5);
    s.restart();
    s.broken.clear();
    await s.pass(5);
    expect(s.heard).toEqual(["webhook: a critical"]);
  });

  it("a change for the worse", async () => {
    const s = site();
    s.change("a", "opened");
    await s.pass(70);
    s.broken.add("webhook");
    s.change("a", "severity", { severity: "critical" });
    await s.pass(5);
    s.restart();
    s.broken.clear();
    await s.pass(5);
    expect(s.heard).toEqual(["webhook: a warning", "webhook: a critical"]);
  });

  it("an end", async () => {
    const s = site();
    s.change("a", "opened");
    await s.pass(70);
    s.broken.add("webhook");
    s.close("a");
    await s.pass(5);
    s.restart();
    s.broken.clear();
    await s.pass(5);
    expect(s.heard).toEqual(["webhook: a warning", "webhook: a over"]);
    s.restart();
    await s.pass(5 * MINUTE_S);
    expect(s.heard).toHaveLength(2);
  });

  it("to that channel only", async () => {
    const s = site();
    s.restart(["webhook", "email"]);
    s.broken.add("email");
    s.change("a", "opened", { severity: "critical" });
    await s.pass(5);
    s.restart(["webhook", "email"]);
    s.broken.clear();
    await s.pass(5);
    expect(s.heard).toEqual(["webhook: a critical", "email: a critical"]);
  });

  it("but nothing of an incident that nobody was told of and that is over", async () => {
    const s = site();
    s.broken.add("webhook");
    s.change("a", "opened", { severity: "critical" });
    await s.pass(5);
    s.close("a");
    s.restart();
    s.broken.clear();
    await s.pass(5 * MINUTE_S);
    expect(s.heard).toEqual([]);
  });
});

describe("what is remembered of it", () => {
  it("ends with the incident, told, merged or forgotten by the store", async () => {
    const s = site();
    for (const id of ["a", "b", "c"]) s.change(id, "opened", { severity: "critical" });
    await s.pass(5);
    expect(Object.keys(s.kept() as object)).toEqual(["a", "b", "c"]);
    s.close("a");
    s.change("b", "merged", { status: "closed", merged_into: "c" });
    await s.pass(5);
    expect(Object.keys(s.kept() as object)).toEqual(["c"]);
    s.broken.add("webhook");
    s.close("c");
    await s.pass(1);
    s.store.prune(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    s.restart();
    expect(s.kept()).toEqual({});
  });

  it("ends with an incident whose end a channel would not take", async () => {
    const s = site({ attempts: 2, retry_s: 1 });
    s.change("a", "opened", { severity: "critical" });
    await s.pass(5);
    s.broken.add("webhook");
    s.close("a");
    await s.pass(10);
    expect(s.kept()).toEqual({});
  });

  it("not of a channel that is no longer configured", async () => {
    const s = site();
    s.restart(["webhook", "email"]);
    s.change("a", "opened", { severity: "critical" });
    await s.pass(5);
    s.restart(["webhook"]);
    s.close("a");
    await s.pass(5);
    expect(s.kept()).toEqual({});
  });
});

it("what is open is on the broker again after a start and whenever the broker may have forgotten it", async () => {
  const s = site();
  s.change("a", "opened");
  s.restart();
  s.republish();
  s.close("a");
  expect(s.retained).toEqual(["a", "a", "a", "null"]);
});
