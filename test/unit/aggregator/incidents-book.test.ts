import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BookSettings, incidentBook, type RackAlarm } from "../../../aggregator/incidents/book.ts";
import type { Cause, CauseVerdict, Incident, SubCause } from "../../../shared/contracts/incident.ts";

const settings: BookSettings = {
  correlation_s: 900,
  row_racks: 3,
  site_rows: 3,
  close_after_s: 600,
  reopen_s: 1_800,
};
const T0 = Date.UTC(2026, 0, 1);
const LOOK_MS = 5_000;

const verdict = (cause: Cause, sub_cause: SubCause | null = null): CauseVerdict => ({
  cause,
  sub_cause,
  confidence: 0.9,
  causes: [{ cause, confidence: 0.9 }],
  evidence: [],
});

function alarm(rack_id: string, changes: Partial<RackAlarm> = {}): RackAlarm {
  const [, row = "", position = ""] = rack_id.split("-");
  const quiet = { sensors: [], over_limit: false, log_d: 1 };
  return { rack_id, row, position: Number(position), persistent: true, verdict: null, ...quiet, ...changes };
}

/** A book and a clock that looks every 5 s. */
function watch(covered: (rack_id: string) => boolean = () => false) {
  let ids = 0;
  let now_ms = T0;
  const all = new Map<string, Incident>();
  const book = incidentBook({
    settings,
    newId: () => `i${++ids}`,
    underMaintenance: ({ rack_id }) => covered(rack_id),
  });
  return {
    book,
    /** These alarms stand for so long. */
    stand(seconds: number, ...alarms: RackAlarm[]) {
      for (const until_ms = now_ms + seconds * 1000; now_ms < until_ms; now_ms += LOOK_MS) {
        for (const incident of book.look(now_ms, alarms)) all.set(incident.id, incident);
      }
    },
    /** Every incident that is not a part of another. */
    shown: () =>
      [...all.keys()].map((id) => book.get(id) ?? all.get(id)!).filter((i) => i.merged_into === null),
    ids: () => ids,
  };
}

describe("one rack", () => {
  it("an alarm opens an incident, which closes when the rack has been well for ten minutes", () => {
    const w = watch();
    w.stand(60, alarm("R-A-01", { verdict: verdict("fan_fault") }));
    expect(w.book.active()).toMatchObject([
      { scope: "rack", status: "open", severity: "warning", title: "R-A-01: fan fault", maintenance: false },
    ]);
    w.stand(600);
    expect(w.book.active()).toHaveLength(1);
    w.stand(10);
    expect(w.shown()).toMatchObject([{ status: "closed", closed_by: "skadi" }]);
    const kinds = w.shown()[0]!.timeline.map(({ kind }) => kind);
    expect(kinds).toEqual(["opened", "cause", "severity", "rack_recovered", "closed"]);
    expect(w.shown()[0]!.racks[0]!.scores).toEqual({ count: 12, log_d_mean: 1 });
  });

  it("an alarm that comes back within half an hour reopens it; later it is a new one", () => {
    const w = watch();
    w.stand(60, alarm("R-A-01"));
    w.stand(1_200);
    w.stand(60, alarm("R-A-01"));
    expect(w.shown()).toMatchObject([{ status: "open", reopened: 1 }]);
    w.stand(600 + 1_900);
    w.stand(60, alarm("R-A-01"));
    expect(w.shown()).toMatchObject([{ status: "closed" }, { status: "open", reopened: 0 }]);
  });

  it("one that was closed by hand stays closed while the alarm stands, and opens again if it comes back", () => {
    const w = watch();
    w.stand(60, alarm("R-A-01"));
    const closed_at = new Date(T0 + 60_000).toISOString();
    w.book.put({ ...w.book.active()[0]!, status: "closed", closed_at, closed_by: "ann" });
    w.stand(300, alarm("R-A-01"));
    expect(w.book.active()).toEqual([]);
    w.stand(30);
    w.stand(30, alarm("R-A-01"));
    expect(w.book.active()).toMatchObject([{ id: "i1", reopened: 1 }]);
  });

  it("an alarm belongs to the open incident, not to one of the same rack that was closed by hand", () => {
    const w = watch();
    w.stand(60, alarm("R-A-01"));
    const open = w.book.active()[0]!;
    const closed_at = new Date(T0).toISOString();
    const closed = { ...open, id: "i0", status: "closed" as const, closed_at, closed_by: "ann" };
    const again = incidentBook({ settings, newId: () => "i9", underMaintenance: () => false });
    for (const incident of [closed, open]) again.put(incident);
    again.look(T0 + 60_000, [alarm("R-A-01")]);
    const counts = ["i0", "i1"].map((id) => again.get(id)!.racks[0]!.scores.count);
    expect(counts).toEqual([12, 13]);
  });

  it("a sensor's fault and a later equipment fault of the same rack are two incidents", () => {
    const w = watch();
    const sensor = { sensors: ["inlet_c: drift"], verdict: verdict("sensor_fault", "drift") };
    w.stand(3_600, alarm("R-A-01", { ...sensor, persistent: false }));
    w.stand(60, alarm("R-A-01", { ...sensor, persistent: true, verdict: verdict("pump_fault") }));
    expect(w.shown().map(({ verdict: v }) => v?.cause)).toEqual(["sensor_fault", "pump_fault"]);
  });

  it("an inlet over its limit is critical, and stays so until the end", () => {
    const w = watch();
    w.stand(60, alarm("R-A-01", { over_limit: true }));
    w.stand(60, alarm("R-A-01"));
    expect(w.book.active()).toMatchObject([{ severity: "critical" }]);
  });

  it("idle and overcooled racks cost energy and are only mentioned", () => {
    const w = watch();
    w.stand(
      30,
      alarm("R-A-01", { verdict: verdict("overcooled") }),
      alarm("R-D-01", { verdict: verdict("under_utilized") }),
    );
    expect(w.book.active().map(({ severity }) => severity)).toEqual(["info", "info"]);
  });
});

describe("rows and site", () => {
  const ROW = Array.from({ length: 12 }, (_, i) => `R-C-${String(i + 1).padStart(2, "0")}`);
  const hot = { verdict: verdict("thermal_event", "tile_blockage") };

  it("any interleaving of a row's hot racks within the correlation time is one incident of the row", () => {
    const order = fc.shuffledSubarray(ROW, { minLength: 3 });
    const delays = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(order, delays, fc.boolean(), (racks, waits, known) => {
        const w = watch();
        const standing: RackAlarm[] = [];
        for (const [i, rack_id] of racks.entries()) {
          standing.push(alarm(rack_id, known ? hot : {}));
          w.stand(waits[i]! + 5, ...standing);
        }
        expect(w.shown()).toHaveLength(1);
        expect(w.shown()[0]).toMatchObject({ scope: "row", row: "C" });
        expect(w.shown()[0]!.racks).toHaveLength(racks.length);
      }),
      { numRuns: 50 },
    );
  });

  it("racks whose causes look different at first are still one, once a quarter of the row is off", () => {
    const causes = ["pump_fault", "high_load", "thermal_event", "fan_fault"] as const;
    fc.assert(
      fc.property(
        fc.shuffledSubarray(ROW, { minLength: 3 }),
        fc.infiniteStream(fc.constantFrom(...causes)),
        (racks, stream) => {
          const w = watch();
          const standing: RackAlarm[] = [];
          for (const rack_id of racks) {
            standing.push(alarm(rack_id, { verdict: verdict(stream.next().value!) }));
            w.stand(10, ...standing);
          }
          expect(w.shown()).toHaveLength(1);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("a hot row is critical, and its cause is the air handler", () => {
    const w = watch();
    w.stand(30, ...ROW.map((rack_id) => alarm(rack_id, hot)));
    expect(w.book.active()).toMatchObject([
      {
        severity: "critical",
        verdict: { cause: "thermal_event", sub_cause: "crah_failure" },
        title: "Row C (12 racks): too hot, cooling side (air handler)",
      },
    ]);
  });

  it("two faults of distant racks are two incidents", () => {
    const w = watch();
    w.stand(
      60,
      alarm("R-C-01", { verdict: verdict("fan_fault") }),
      alarm("R-C-09", { verdict: verdict("pump_fault") }),
    );
    expect(w.shown()).toHaveLength(2);
  });

  it("three rows within the correlation time are one incident of the site", () => {
    const w = watch();
    const rows = (names: string) =>
      [...names].flatMap((row) => ROW.map((id) => alarm(id.replace("C", row), hot)));
    w.stand(60, ...rows("A"));
    w.stand(60, ...rows("AB"));
    expect(w.shown().map(({ scope }) => scope)).toEqual(["row", "row"]);
    w.stand(60, ...rows("ABC"));
    expect(w.shown()).toMatchObject([{ scope: "site", row: null, severity: "critical" }]);
    expect(w.shown()[0]!.racks).toHaveLength(36);
  });

  it("the row's incident ends when all of its racks are well", () => {
    const w = watch();
    w.stand(60, ...ROW.map((rack_id) => alarm(rack_id, hot)));
    w.stand(900, alarm("R-C-01", hot));
    expect(w.book.active()).toHaveLength(1);
    w.stand(700);
    expect(w.book.active()).toHaveLength(0);
  });
});

describe("maintenance", () => {
  it("is over for an incident that outlasts it", () => {
    let covered = true;
    const w = watch(() => covered);
    w.stand(30, alarm("R-C-01"));
    covered = false;
    w.stand(10, alarm("R-C-01"));
    expect(w.book.active()).toMatchObject([{ maintenance: false }]);
    expect(w.book.active()[0]!.timeline.at(-1)).toMatchObject({ kind: "maintenance_over" });
  });

  it("marks what begins on racks that are worked on, until another joins", () => {
    const w = watch((rack_id) => rack_id !== "R-C-03");
    w.stand(30, alarm("R-C-01"));
    expect(w.book.active()).toMatchObject([{ maintenance: true }]);
    w.stand(30, alarm("R-C-01"), alarm("R-C-02"), alarm("R-C-03"));
    expect(w.book.active()).toMatchObject([{ maintenance: false }]);
  });
});

it("a timeline keeps its beginning and its latest lines, however long an incident lasts", () => {
  const w = watch();
  for (let n = 0; n < 300; n++) {
    w.stand(10, alarm("R-A-01"));
    w.stand(10);
  }
  const [incident] = w.book.active();
  expect(incident!.timeline.length).toBeLessThanOrEqual(200);
  expect(incident!.timeline[0]!.kind).toBe("opened");
});
