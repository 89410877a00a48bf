import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refuseSend } from "../../../aggregator/actions/gate.ts";
import { trackSetpoints } from "../../../aggregator/actions/setpoints.ts";
import type { Action } from "../../../shared/contracts/action.ts";
import { isoTime } from "../../../shared/time.ts";

const free = {
  kill_switch: false,
  quarantined: false,
  sent_ms: Number.NEGATIVE_INFINITY,
  spacing_ms: 120_000,
};
const change = { kind: "optimize" as const, target: "fan_rpm_pct" as const, to: 60 };
const NOW = Date.UTC(2026, 0, 1);

describe("every setpoint that leaves", () => {
  it("waits until the device's last one is 120 s old, whoever asks; a rollback does not", () => {
    const soon = { ...free, sent_ms: NOW - 119_000 };
    for (const kind of ["optimize", "manual", "release"] as const) {
      expect(refuseSend({ ...change, kind }, soon, NOW)?.code).toBe("SKADI_RATE_LIMITED");
    }
    expect(refuseSend({ ...change, kind: "rollback" }, soon, NOW)).toBeNull();
    expect(refuseSend(change, { ...free, sent_ms: NOW - 120_000 }, NOW)).toBeNull();
  });

  it("never leaves against the kill switch, a rollback neither", () => {
    for (const kind of ["optimize", "manual", "rollback"] as const) {
      expect(refuseSend({ ...change, kind }, { ...free, kill_switch: true }, NOW)?.field).toBe("kill_switch");
    }
  });

  it("does not reach a device in quarantine, which may be handed back all the same", () => {
    const quarantined = { ...free, quarantined: true };
    expect(refuseSend(change, quarantined, NOW)?.code).toBe("SKADI_CONFLICT");
    expect(refuseSend({ ...change, to: null }, quarantined, NOW)).toBeNull();
  });

  it("leaves no two of one device within the spacing, at whatever instants they are asked for", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 2, maxLength: 40 }), (gaps) => {
        const setpoints = trackSetpoints([]);
        const left: number[] = [];
        let now_ms = NOW;
        for (const gap_ms of gaps) {
          now_ms += gap_ms;
          const sent_ms = setpoints.sentMs("R-A-01", "fan_rpm_pct");
          if (refuseSend(change, { ...free, sent_ms }, now_ms)) continue;
          left.push(now_ms);
          const action = {
            ...change,
            rack_id: "R-A-01",
            source: "operator",
            outcome: "sent",
            ts: isoTime(now_ms),
          };
          setpoints.observe(action as Action);
        }
        for (let i = 1; i < left.length; i++) expect(left[i]! - left[i - 1]!).toBeGreaterThanOrEqual(120_000);
      }),
    );
  });
});
