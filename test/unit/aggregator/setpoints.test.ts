import { describe, expect, it } from "vitest";
import { trackSetpoints } from "../../../aggregator/actions/setpoints.ts";
import type { Action } from "../../../shared/contracts/action.ts";
import { isoTime } from "../../../shared/time.ts";

const T0 = Date.UTC(2026, 0, 1);

const action = (id: string, second: number, changes: Partial<Action> = {}): Action => ({
  ...{ v: 1, id, ts: isoTime(T0 + second * 1_000), rack_id: "R-A-01", source: "optimizer", kind: "optimize" },
  ...{
    target: "fan_rpm_pct",
    from: null,
    to: 60,
    mode: "closed_loop",
    outcome: "sent",
    reason: "",
    inputs: {},
  },
  ...changes,
});
const applied = { outcome: "applied" as const };
const guardrail = { source: "guardrail" as const, kind: "pre_cool" as const };
const pump = { target: "pump_rpm_pct" as const };

describe("what is known of a device's setpoint", () => {
  const idsOf = (actions: readonly Action[]) => actions.map(({ id }) => id);

  it("is the action that was applied last, the newest last of all devices", () => {
    const setpoints = trackSetpoints([action("a", 1, applied), action("b", 2, { ...pump, ...applied })]);
    expect(idsOf(setpoints.applied())).toEqual(["a", "b"]);
    setpoints.observe(action("c", 3, { ...applied, to: 55 }));
    expect(idsOf(setpoints.applied())).toEqual(["b", "c"]);
    expect(setpoints.value("R-A-01", "fan_rpm_pct")).toBe(55);
    expect(setpoints.appliedMs("R-A-01", "fan_rpm_pct")).toBe(T0 + 3_000);
  });

  it("is open while a change of it is unanswered: neither refused nor applied, nor set by others since", () => {
    const sent = action("a", 10);
    const openAfter = (...actions: Action[]) => idsOf(trackSetpoints([sent, ...actions]).unanswered());
    expect(openAfter()).toEqual(["a"]);
    expect(openAfter({ ...sent, ...applied })).toEqual([]);
    expect(openAfter({ ...sent, outcome: "refused" })).toEqual([]);
    expect(openAfter(action("b", 20, { ...guardrail, ...applied }))).toEqual([]);
    expect(openAfter(action("b", 20))).toEqual(["b"]);
    // These say nothing of what became of it.
    expect(openAfter(action("b", 20, { ...guardrail, outcome: "advised" }))).toEqual(["a"]);
    expect(openAfter(action("b", 20, { kind: "release", to: null }))).toEqual(["a"]);
    expect(openAfter(action("b", 5, applied))).toEqual(["a"]);
  });
});
