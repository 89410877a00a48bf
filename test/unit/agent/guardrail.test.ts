import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type GuardContext,
  type GuardInput,
  type GuardState,
  guard,
  type Intent,
  initialGuardState,
} from "../../../agent/guardrail/guardrail.ts";
import { RACK_TARGETS, type RackTarget } from "../../../shared/contracts/action.ts";
import { AgentConfig } from "../../../shared/contracts/config.ts";

const config = AgentConfig.parse({ rack_id: "R-A-01" });
const context: GuardContext = {
  config: config.guardrail,
  limits: config.limits,
  actuators: config.actuators,
};
const TICK_MS = 5_000;

/** A rack whose inlet and outlet are this many standard deviations above nominal. */
const hot = (z: number) => ({ inlet_z: z, outlet_z: z });

type Setpoints = Record<RackTarget, number | null>;
const AUTOMATIC: Setpoints = {
  fan_rpm_pct: null,
  pump_rpm_pct: null,
  routing_weight_pct: null,
  admission_pct: null,
  batch_window_ms: null,
  power_cap_kw: null,
};

const NOMINAL: GuardInput = {
  now_ms: 0,
  inlet_c: 22,
  heat: { inlet_z: 0, outlet_z: 0 },
  d: 1,
  tau_fast: 2,
  mms_state: "transient",
  setpoints: AUTOMATIC,
  fan_rpm_pct: 65,
  pump_rpm_pct: 57,
};

/** Plays inputs tick by tick on a rack whose actuators obey at once. */
function play(inputs: readonly Partial<GuardInput>[], start: GuardState = initialGuardState(context)) {
  let state = start;
  let setpoints = AUTOMATIC;
  const log: (Intent & { tick: number })[] = [];
  inputs.forEach((input, tick) => {
    const step = guard(context, state, { ...NOMINAL, setpoints, now_ms: tick * TICK_MS, ...input });
    state = step.state;
    for (const intent of step.intents) {
      setpoints = { ...setpoints, [intent.target]: intent.value };
      log.push({ ...intent, tick });
    }
  });
  return { log, state, setpoints };
}

const ticks = (count: number, input: Partial<GuardInput>) => Array.from({ length: count }, () => input);
const targets = (log: readonly Intent[]) => [...new Set(log.map((i) => i.target))];

describe("the guardrail leaves alone", () => {
  it("nominal operation, for as long as it lasts", () => {
    expect(play(ticks(500, {})).log).toEqual([]);
  });

  it("a single tick above tau_fast, which nominal operation shows in one of twenty", () => {
    expect(play([{}, { d: 2.5, heat: hot(2) }, {}, { d: 2.5, heat: hot(2) }, {}]).log).toEqual([]);
  });

  it("a deviation towards the cold, however large and however persistent", () => {
    const overcooled = { d: 9, heat: hot(-3), inlet_c: 17, mms_state: "persistent" as const };
    expect(play(ticks(100, overcooled)).log).toEqual([]);
  });
});

describe("the guardrail acts", () => {
  it("within 10 s on a hot deviation, by pre-cooling alone", () => {
    const { log } = play(ticks(40, { d: 2.5, heat: hot(2) }));
    expect(log[0]).toMatchObject({
      tick: 1,
      kind: "pre_cool",
      target: "pump_rpm_pct",
      value: 72,
      severity: "deviation",
    });
    expect(targets(log)).toEqual(["pump_rpm_pct"]);
  });

  it("with the fan too when the outlet is hot but the inlet is not: too little air", () => {
    const { log } = play(ticks(2, { d: 2.5, heat: { inlet_z: 0.5, outlet_z: 3 } }));
    expect(targets(log)).toEqual(["pump_rpm_pct", "fan_rpm_pct"]);
  });

  it("on the MMS verdict, adding admission control once the pump is at its limit", () => {
    const { log } = play(ticks(60, { heat: hot(2), mms_state: "persistent" }));
    const pump = log.filter((i) => i.target === "pump_rpm_pct");
    expect(pump.at(-1)?.value).toBe(90);
    const admission = log.find((i) => i.target === "admission_pct");
    expect(admission?.value).toBe(70);
    expect(admission!.tick).toBeGreaterThan(pump.at(-1)!.tick);
    expect(targets(log)).not.toContain("routing_weight_pct");
  });

  it("with every measure within half a degree of the inlet limit, but not with the fan, which would draw hot air", () => {
    const { log } = play([{ inlet_c: 27.5, heat: hot(3) }]);
    expect(targets(log)).toEqual(["pump_rpm_pct", "admission_pct", "routing_weight_pct"]);
  });

  it("again after 10 s instead of 60 s above the limit", () => {
    const { log } = play(ticks(5, { inlet_c: 28.2, heat: hot(4) }));
    const routing = log.filter((i) => i.target === "routing_weight_pct").map((i) => [i.tick, i.value]);
    expect(routing).toEqual([
      [0, 75],
      [2, 50],
      [4, 40],
    ]);
  });

  it("as a precaution when the rack has been blind for three ticks", () => {
    const { log } = play(ticks(4, { inlet_c: null, heat: { inlet_z: null, outlet_z: null }, d: null }));
    expect(log[0]).toMatchObject({ tick: 2, severity: "blind", kind: "pre_cool" });
  });

  it("and sends a device whose speed is unknown to its maximum", () => {
    const { log } = play(
      ticks(3, { inlet_c: null, heat: { inlet_z: null, outlet_z: null }, d: null, pump_rpm_pct: null }),
    );
    expect(log.find((i) => i.target === "pump_rpm_pct")?.value).toBe(90);
  });
});

describe("the guardrail hands back", () => {
  const emergency = ticks(6, { inlet_c: 28.5, heat: hot(4) });

  it("nothing before the calm time, then one measure at a time, last one first", () => {
    const { log, setpoints } = play([...emergency, ...ticks(200, {})]);
    const releases = log.filter((i) => i.kind === "release");
    expect(releases[0]!.tick - 6).toBeGreaterThanOrEqual(35);
    expect(releases.map((i) => [i.target, i.value])).toEqual([
      ["routing_weight_pct", 65],
      ["routing_weight_pct", 90],
      ["routing_weight_pct", null],
      ["admission_pct", null],
      ["pump_rpm_pct", null],
    ]);
    for (let i = 1; i < releases.length; i++)
      expect(releases[i]!.tick - releases[i - 1]!.tick).toBeGreaterThanOrEqual(12);
    expect(setpoints).toEqual(AUTOMATIC);
  });

  it("nothing while the rack is hot or blind, even without a trigger", () => {
    for (const input of [{ heat: hot(2.2) }, { inlet_c: null, heat: { inlet_z: null, outlet_z: null } }]) {
      const { log } = play([...emergency, ...ticks(300, input)]);
      expect(log.filter((i) => i.kind === "release")).toEqual([]);
    }
  });

  it("more slowly after a release that turned out too early", () => {
    const once = play([...emergency, ...ticks(40, {})]);
    expect(once.log.at(-1)?.kind).toBe("release");
    expect(once.state.hold_ms).toBe(180_000);
    const twice = play([...emergency, ...ticks(40, {}), { inlet_c: 27.8, heat: hot(3) }]);
    expect(twice.state.hold_ms).toBe(360_000);
  });
});

describe("whatever the readings, the guardrail", () => {
  const z = fc.option(fc.double({ min: -5, max: 8, noNaN: true }), { nil: null });
  const reading = fc.record({
    inlet_c: fc.option(fc.double({ min: 10, max: 60, noNaN: true }), { nil: null }),
    heat: fc.record({ inlet_z: z, outlet_z: z }),
    d: fc.option(fc.double({ min: 0, max: 30, noNaN: true }), { nil: null }),
    mms_state: fc.constantFrom("transient" as const, "persistent" as const),
    fan_rpm_pct: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null }),
    pump_rpm_pct: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null }),
  });
  const runs = fc.array(reading, { minLength: 1, maxLength: 200 });

  it("never asks for a value outside the actuators' limits", () => {
    fc.assert(
      fc.property(runs, (inputs) => {
        for (const { target, value } of play(inputs).log) {
          if (value === null) continue;
          expect(value).toBeGreaterThanOrEqual(context.actuators[target].min);
          expect(value).toBeLessThanOrEqual(context.actuators[target].max);
        }
      }),
    );
  });

  it("never acts on a target twice within 60 s, or within 10 s in an emergency", () => {
    fc.assert(
      fc.property(runs, (inputs) => {
        const { log } = play(inputs);
        for (const target of RACK_TARGETS) {
          const own = log.filter((i) => i.target === target);
          for (let i = 1; i < own.length; i++) {
            expect(own[i]!.tick - own[i - 1]!.tick).toBeGreaterThanOrEqual(own[i]!.emergency ? 2 : 12);
          }
        }
      }),
    );
  });

  it("only ever moves towards the cool while there is a reason to protect", () => {
    fc.assert(
      fc.property(runs, (inputs) => {
        let setpoints: Setpoints = AUTOMATIC;
        for (const { target, value, kind } of play(inputs).log) {
          const before = setpoints[target];
          setpoints = { ...setpoints, [target]: value };
          if (kind === "release" || before === null || value === null) continue;
          if (target === "fan_rpm_pct" || target === "pump_rpm_pct") expect(value).toBeGreaterThan(before);
          else expect(value).toBeLessThan(before);
        }
      }),
    );
  });
});
