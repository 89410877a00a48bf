import { describe, expect, it } from "vitest";
import { uncommanded } from "../../../agent/commanded.ts";
import { RACK_TARGETS, type RackTarget } from "../../../shared/contracts/action.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { NOMINAL_READING } from "../../support/readings.ts";

const sample = TelemetrySample.parse({
  ts: "2026-01-01T00:00:00Z",
  rack_id: "R-A-01",
  ...NOMINAL_READING,
  pump_rpm_pct: 90,
});
const setpoints = (changes: Partial<Record<RackTarget, number>> = {}) =>
  ({ ...Object.fromEntries(RACK_TARGETS.map((target) => [target, null])), ...changes }) as Record<
    RackTarget,
    number | null
  >;

describe("what a rack is scored by", () => {
  it("is all of it while nothing is commanded, whatever the pump does by itself", () => {
    expect(uncommanded(sample, setpoints())).toBe(sample);
  });

  it("leaves out a speed that somebody commanded, and nothing else", () => {
    const scored = uncommanded(sample, setpoints({ pump_rpm_pct: 90, admission_pct: 70 }));
    expect(scored).toEqual({ ...sample, pump_rpm_pct: null });
  });
});
