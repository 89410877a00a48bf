import { describe, expect, it } from "vitest";
import { incidentSource } from "../../../../aggregator/report/incident-source.ts";
import { savingSource } from "../../../../aggregator/report/saving-source.ts";
import { Incident } from "../../../../shared/contracts/incident.ts";

const HOUR_MS = 3_600_000;
const at = (hour: number) => new Date(hour * HOUR_MS).toISOString();
const incident = (id: string, opened: number, closed: number | null): Incident =>
  Incident.parse({
    ...{
      v: 1,
      id,
      scope: "row",
      row: "C",
      status: closed === null ? "open" : "closed",
      severity: "critical",
    },
    ...{ title: `row C is hot (${id})`, opened_at: at(opened), updated_at: at(opened), closed_by: null },
    ...{ closed_at: closed === null ? null : at(closed), acknowledged_by: null, maintenance: false },
    ...{ judged: null, reopened: 0, merged_into: null, verdict: null, racks: [], timeline: [] },
  });

describe("the report's incidents", () => {
  it("are those that were open at some time of the period, with what a reader needs", () => {
    const all = [incident("later", 30, null), incident("now", 12, null), incident("before", 1, 5)];
    const source = incidentSource({ recent: () => all });
    expect(source.between(10 * HOUR_MS, 20 * HOUR_MS, 100)).toEqual([
      {
        ...{ id: "now", opened_at: at(12), closed_at: null, state: "open", scope: "row", racks: [] },
        ...{ cause: null, confidence: null, summary: "row C is hot (now)" },
      },
    ]);
    expect(source.between(4 * HOUR_MS, 6 * HOUR_MS, 100).map(({ id }) => id)).toEqual(["before"]);
  });
});

describe("the report's measured saving", () => {
  const rest = {
    ...{ optimised_hours: 4, warnings: [] },
    training: { hours: 40, hours_of_day: 24, coverage: 1, r_squared: 0.9, residual_pct: 1 },
  };

  it("comes with its interval and its method; without an estimate there is none", () => {
    const estimate = {
      ...{ baseline_kwh: 100, actual_kwh: 95, saved_kwh: 5, saved_pct: 5 },
      saved_kwh_interval: [4, 6] as [number, number],
      saved_pct_interval: [4, 6] as [number, number],
    };
    const measured = savingSource({ savings: () => ({ ...rest, method: "switchback", estimate }) });
    expect(measured.measured(0, 1)).toMatchObject({
      saving_kwh: 5,
      low_pct: 4,
      high_pct: 6,
      confidence: 0.95,
    });
    const unknown = savingSource({ savings: () => ({ ...rest, method: "switchback", estimate: null }) });
    expect(unknown.measured(0, 1)).toBeNull();
  });
});
