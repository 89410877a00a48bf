import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failSafeValue, warms } from "../../../agent/actuators/fail-safe.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";

const { actuators } = AgentConfig.parse({ rack_id: "R-A-01" });
const fan = actuators.fan_rpm_pct;

describe("what a target is left at when nobody looks after it", () => {
  it("a device under its own control is left alone", () => {
    expect(failSafeValue("fan_rpm_pct", { ...fan, fail_safe: 80 }, null)).toBeUndefined();
  });

  it("a speed is kept, or raised to the fail-safe value, never lowered to it", () => {
    expect(failSafeValue("fan_rpm_pct", fan, 70)).toBeUndefined();
    expect(failSafeValue("fan_rpm_pct", { ...fan, fail_safe: 80 }, 70)).toBe(80);
    expect(failSafeValue("fan_rpm_pct", { ...fan, fail_safe: 80 }, 95)).toBeUndefined();
  });

  it("shed work stays shed", () => {
    expect(failSafeValue("admission_pct", actuators.admission_pct, 70)).toBeUndefined();
    const limits = { ...actuators.admission_pct, fail_safe: 80 };
    expect(failSafeValue("admission_pct", limits, 70)).toBeUndefined();
    expect(failSafeValue("admission_pct", limits, 100)).toBe(80);
  });

  it("a speed that cannot be read goes to its maximum, or to its fail-safe value", () => {
    expect(failSafeValue("pump_rpm_pct", actuators.pump_rpm_pct, undefined)).toBe(90);
    expect(failSafeValue("fan_rpm_pct", { ...fan, fail_safe: 80 }, undefined)).toBe(80);
    expect(failSafeValue("admission_pct", actuators.admission_pct, undefined)).toBeUndefined();
  });

  it("is never warmer than before, whatever is configured and wherever the device stands", () => {
    const speed = fc.double({ min: 0, max: 120, noNaN: true });
    fc.assert(
      fc.property(
        speed,
        fc.option(fc.double({ min: fan.min, max: fan.max, noNaN: true }), { nil: undefined }),
        (current, fail_safe) => {
          const limits = { ...fan, fail_safe };
          expect(failSafeValue("fan_rpm_pct", limits, current) ?? current).toBeGreaterThanOrEqual(current);
          expect(failSafeValue("routing_weight_pct", limits, current) ?? current).toBeLessThanOrEqual(
            current,
          );
        },
      ),
    );
  });
});

describe("a change that leaves less cooling or more heat", () => {
  it.each([
    ["fan_rpm_pct", 70, 60, true],
    ["fan_rpm_pct", 60, 70, false],
    ["pump_rpm_pct", null, 60, true],
    ["admission_pct", 80, 100, true],
    ["admission_pct", 80, 70, false],
    ["routing_weight_pct", null, 90, false],
    ["power_cap_kw", 8, 10, true],
    ["fan_rpm_pct", 90, null, false],
  ] as const)("%s from %s to %s: %s", (target, before, after, expected) => {
    expect(warms(target, before, after)).toBe(expected);
  });
});
