import { describe, expect, it } from "vitest";
import {
  confirmedSpans,
  type ExclusionRules,
  type ExclusionSources,
  exclusionsOf,
  usableRows,
} from "../../../../aggregator/drift/exclusions.ts";
import type { Action } from "../../../../shared/contracts/action.ts";
import type { Incident } from "../../../../shared/contracts/incident.ts";
import { isoTime } from "../../../../shared/time.ts";

const RACKS = [
  { rack_id: "R-A-01", row: "A" },
  { rack_id: "R-B-01", row: "B" },
];
const HOUR_MS = 3_600_000;
const RULES: ExclusionRules = { site_incidents: false, commanded_by: ["guardrail", "operator"] };

const incident = (changes: Partial<Incident> = {}): Incident => ({
  v: 1,
  id: "i1",
  scope: "rack",
  row: "A",
  status: "closed",
  severity: "warning",
  title: "test",
  opened_at: isoTime(4 * HOUR_MS),
  updated_at: isoTime(5 * HOUR_MS),
  closed_at: isoTime(6 * HOUR_MS),
  closed_by: "skadi",
  acknowledged_by: null,
  maintenance: false,
  judged: null,
  reopened: 0,
  merged_into: null,
  verdict: null,
  racks: [
    {
      rack_id: "R-A-01",
      since: isoTime(4 * HOUR_MS),
      recovered_at: isoTime(5 * HOUR_MS),
      sensors: [],
      verdict: null,
      scores: { count: 1, log_d_mean: 0 },
    },
  ],
  timeline: [],
  ...changes,
});

const setpoint = (ts_ms: number, to: number | null, changes: Partial<Action> = {}): Action => ({
  ...{ v: 1, id: `a${ts_ms}`, ts: isoTime(ts_ms), rack_id: "R-A-01", source: "operator", kind: "manual" },
  ...{ target: "fan_rpm_pct", from: null, to, mode: "closed_loop", outcome: "applied", reason: "test" },
  inputs: {},
  ...changes,
});

/** The hours of a day in which a rack's rows may be used; `persistent` are those in which MMS called it so. */
function usableHours(
  sources: Partial<ExclusionSources>,
  { rules = RULES, rack_id = "R-A-01", persistent = [] as number[] } = {},
): number[] {
  const hours = [...Array(24).keys()];
  const exclusions = exclusionsOf(
    { racks: RACKS, incidents: [], maintenance: [], actions: [], now_ms: 24 * HOUR_MS, ...sources },
    rules,
  );
  const ts_ms = Float64Array.from(hours, (hour) => (hour + 0.5) * HOUR_MS);
  const flags = Uint8Array.from(hours, (hour) => (persistent.includes(hour) ? 1 : 0));
  const usable = usableRows({ rack_id, ts_ms, persistent: flags }, exclusions);
  return hours.filter((hour) => usable[hour] === 1);
}

const without = (...gone: number[]) => [...Array(24).keys()].filter((hour) => !gone.includes(hour));

describe("what is left out of a rack's time", () => {
  it("is nothing of a quiet day", () => {
    expect(usableHours({})).toEqual(without());
  });

  it("is an incident of its own, from a little before its alarm to a little after its recovery", () => {
    expect(usableHours({ incidents: [incident()] })).toEqual(without(4));
    expect(usableHours({ incidents: [incident()] }, { rack_id: "R-B-01" })).toEqual(without());
  });

  it("is an incident that still stands up to now", () => {
    const open = incident({ closed_at: null, status: "open" });
    open.racks[0]!.recovered_at = null;
    expect(usableHours({ incidents: [open] })).toEqual([0, 1, 2, 3]);
  });

  it("is every time that MMS called it persistent, incident or not", () => {
    expect(usableHours({}, { persistent: [9, 10] })).toEqual(without(9, 10));
  });

  it("is not an incident that people rejected: the rack was well, whatever MMS said", () => {
    const rejected = incident({ judged: "rejected" });
    expect(usableHours({ incidents: [rejected] }, { persistent: [4] })).toEqual(without());
    expect(usableHours({ incidents: [rejected] }, { persistent: [4, 9] })).toEqual(without(9));
  });

  it("is an incident of the whole site, unless the rules take it for operation and nobody confirmed it", () => {
    const site_wide = incident({ scope: "site", row: null });
    const lenient = { ...RULES, site_incidents: true };
    expect(usableHours({ incidents: [site_wide] }, { persistent: [4] })).toEqual(without(4));
    expect(usableHours({ incidents: [site_wide] }, { persistent: [4], rules: lenient })).toEqual(without());
    const confirmed = incident({ scope: "site", row: null, judged: "confirmed" });
    expect(usableHours({ incidents: [confirmed] }, { rules: lenient })).toEqual(without(4));
  });

  it("is not an incident that nobody judged, where the rules say so, unless a sensor is in question", () => {
    const rules = { ...RULES, unjudged_incidents: true };
    expect(usableHours({ incidents: [incident()] }, { persistent: [4], rules })).toEqual(without());
    for (const judged of ["confirmed", "rejected"] as const) {
      const expected = judged === "confirmed" ? without(4) : without();
      expect(usableHours({ incidents: [incident({ judged })] }, { rules })).toEqual(expected);
    }
    const sensor = incident();
    sensor.racks[0]!.sensors = ["inlet_c: drift"];
    expect(usableHours({ incidents: [sensor] }, { rules })).toEqual(without(4));
  });

  it("is not what a wider incident has taken over: that one is judged", () => {
    const merged = incident({ merged_into: "i2" });
    const wider = incident({ id: "i2", scope: "row", judged: "rejected" });
    expect(usableHours({ incidents: [merged, wider] })).toEqual(without());
  });

  it("is maintenance of the rack, of its row, or of the site", () => {
    const window = { id: "m", from: isoTime(8 * HOUR_MS), to: isoTime(9 * HOUR_MS), reason: "filters" };
    for (const place of [
      { rack_id: "R-A-01", row: null },
      { rack_id: null, row: "A" },
      { rack_id: null, row: null },
    ])
      expect(usableHours({ maintenance: [{ ...window, ...place }] })).toEqual(without(8));
    const elsewhere = { ...window, rack_id: null, row: "B" };
    expect(usableHours({ maintenance: [elsewhere] })).toEqual(without());
  });

  it("is the time that somebody drove its fans, from the first setpoint to the one that handed them back", () => {
    const actions = [setpoint(2 * HOUR_MS, 80), setpoint(3 * HOUR_MS, 90), setpoint(5 * HOUR_MS, null)];
    expect(usableHours({ actions })).toEqual(without(2, 3, 4));
    expect(usableHours({ actions: actions.slice(0, 1) })).toEqual([0, 1]);
  });

  it("is not what was only advised, nor what the optimizer drives where the rules allow it", () => {
    expect(usableHours({ actions: [setpoint(2 * HOUR_MS, 80, { outcome: "advised" })] })).toEqual(without());
    expect(usableHours({ actions: [setpoint(2 * HOUR_MS, 80, { source: "optimizer" })] })).toEqual(without());
  });
});

it("only incidents that people confirmed are what a model must find", () => {
  const incidents = [incident(), incident({ judged: "rejected" }), incident({ judged: "confirmed" })];
  expect(confirmedSpans(incidents, 24 * HOUR_MS)).toEqual([
    { rack_id: "R-A-01", span: { from_ms: 3 * HOUR_MS + 3_000_000, to_ms: 5 * HOUR_MS + 900_000 } },
  ]);
});
