import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type GuardContext,
  type GuardInput,
  type GuardState,
  guard,
  type Intent,
  initialGuardState,
  isProtecting,
  resumedGuardState,
  SEVERITIES,
  type Severity,
} from "../../../agent/guardrail/guardrail.ts";
import { RACK_TARGETS, type RackTarget } from "../../../shared/contracts/action.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";

const config = AgentConfig.parse({ rack_id: "R-A-01" });
const context: GuardContext = {
  config: config.guardrail,
  limits: config.limits,
  actuators: config.actuators,
  driven: RACK_TARGETS,
  without_own_control: [],
};
const TICK_MS = 5_000;

/** A rack whose inlet and outlet are this many standard deviations above nominal. */
const hot = (z: number) => ({ inlet_z: z, outlet_z: z });

const OWN_SPEEDS = ["fan_rpm_pct", "pump_rpm_pct"] as const;

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
  closed_loop: true,
  inlet_c: 22,
  hottest_inlet_c: null,
  heat: { inlet_z: 0, outlet_z: 0 },
  d: 1,
  tau_fast: 2,
  mms_state: "transient",
  departure: null,
  setpoints: AUTOMATIC,
  fan_rpm_pct: 65,
  pump_rpm_pct: 57,
  pdu_kw: 8,
  owned: [],
  failing: [],
};

/** The same as a reading, without what the agent adds. */
const NOMINAL_READING: Partial<GuardInput> = { inlet_c: 22, heat: { inlet_z: 0, outlet_z: 0 }, d: 1 };

/** Plays inputs tick by tick on a rack whose actuators obey at once. */
function play(
  inputs: readonly Partial<GuardInput>[],
  start: {
    state?: GuardState;
    setpoints?: Partial<Setpoints>;
    owned?: RackTarget[];
    context?: GuardContext;
  } = {},
) {
  const ruled = start.context ?? context;
  let state = start.state ?? initialGuardState(ruled);
  let setpoints: Setpoints = { ...AUTOMATIC, ...start.setpoints };
  let owned: RackTarget[] = start.owned ?? [];
  const log: (Intent & { tick: number; from: number | null })[] = [];
  const severities: Severity[] = [];
  inputs.forEach((input, tick) => {
    const step = guard(ruled, state, { ...NOMINAL, setpoints, owned, now_ms: tick * TICK_MS, ...input });
    state = step.state;
    severities.push(step.severity);
    for (const intent of step.intents) {
      const { target, value } = intent;
      log.push({ ...intent, tick, from: setpoints[target] });
      setpoints = { ...setpoints, [target]: value };
      owned = value === null ? owned.filter((t) => t !== target) : [...new Set([...owned, target])];
    }
  });
  return { log, state, setpoints, owned, severities };
}

const ticks = (count: number, input: Partial<GuardInput>) => Array.from({ length: count }, () => input);
const targets = (log: readonly Intent[]) => [...new Set(log.map((i) => i.target))];

/** The state after these inputs, with the clock set so that the next tick is at 0. */
function guardedBy(inputs: readonly Partial<GuardInput>[]): GuardState {
  let state = initialGuardState(context);
  inputs.forEach((input, i) => {
    state = guard(context, state, { ...NOMINAL, ...input, now_ms: (i - inputs.length) * TICK_MS }).state;
  });
  return { ...state, last_action_ms: {} };
}

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

describe("over the limit, the guardrail", () => {
  const over = { inlet_c: 28.4, heat: hot(4) };
  const caps = (log: { target: RackTarget; tick: number; value: number | null }[]) =>
    log.filter((i) => i.target === "power_cap_kw").map((i) => [i.tick, i.value]);

  it("acts on the one reading of the window that crossed it, whatever the mean says", () => {
    const { log } = play([{}, { inlet_c: 23, hottest_inlet_c: 28 }]);
    expect(log[0]).toMatchObject({ tick: 1, severity: "over_limit", emergency: true });
    expect(log[0]?.reason).toContain("28.0 °C");
    expect(play([{ hottest_inlet_c: 27.9 }]).log).toEqual([]);
  });

  it("caps power as its last measure: after 30 s, from what the rack draws, a step per minute", () => {
    expect(caps(play(ticks(40, { ...over, pdu_kw: 11.2 })).log)).toEqual([
      [6, 8.2],
      [18, 5.2],
      [30, 4],
    ]);
  });

  it("caps from the highest cap where the rack's power is unknown", () => {
    expect(caps(play(ticks(9, { ...over, pdu_kw: null })).log)).toEqual([[6, 9]]);
  });

  it("gives the other measures their 30 s even after a long time over the limit in advisory mode", () => {
    const advisory = ticks(60, { ...over, closed_loop: false });
    const advised = guardedBy(advisory);
    expect(caps(play(ticks(8, over), { state: advised }).log)).toEqual([[6, 5]]);
  });

  it("does not cap for a crossing that the other measures end, even if the inlet sways around the limit", () => {
    expect(caps(play([...ticks(5, over), ...ticks(60, { inlet_c: 27, heat: hot(2.5) })]).log)).toEqual([]);
    const swaying = Array.from({ length: 9 }, (_, i) =>
      i % 2 === 0 ? over : { inlet_c: 27.8, heat: hot(4) },
    );
    expect(caps(play(swaying).log)).toHaveLength(1);
  });

  it("caps close to the limit once everything else is exhausted and had a minute to show", () => {
    const { log } = play(ticks(80, { inlet_c: 27.7, heat: hot(3) }));
    const before = log.filter((i) => i.target !== "power_cap_kw" && i.tick < caps(log)[0]![0]!);
    expect(before.at(-1)).toMatchObject({ target: "routing_weight_pct", value: 40 });
    expect(caps(log)[0]![0]! - before.at(-1)!.tick).toBe(12);
  });
});

describe("priorities: the first that holds decides", () => {
  const departed = { departure: "relations", heat: hot(1.5) } as const;
  const blind = { inlet_c: null, heat: { inlet_z: null, outlet_z: 1.5 } };
  const persistent = { mms_state: "persistent", heat: hot(2.5) } as const;
  const deviating = { d: 3, heat: hot(2.5) };
  const last = (input: Partial<GuardInput>) => play(ticks(6, input)).severities.at(-1);

  it.each([
    ["over_limit", "near_limit", { inlet_c: 27.8, hottest_inlet_c: 28.3 }],
    ["over_limit", "a rack that is blind on average", { ...blind, hottest_inlet_c: 28.3 }],
    ["near_limit", "fault", { ...departed, inlet_c: 27.6 }],
    ["near_limit", "MMS and D", { ...persistent, ...deviating, inlet_c: 27.6 }],
    ["blind", "fault", { ...departed, ...blind }],
    ["fault", "MMS", { ...persistent, departure: "relations" }],
    ["fault", "D", { ...deviating, departure: "change" }],
    ["persistent", "D", { ...persistent, ...deviating }],
    ["deviation", "efficiency", deviating],
  ] as const)("%s before %s", (severity, _, input) => {
    expect(last(input)).toBe(severity);
  });

  it("and each asks for at least what the lower ones of fault, MMS and D ask for", () => {
    const asked = (input: Partial<GuardInput>) =>
      new Set(play(ticks(80, { heat: hot(2.5), ...input })).log.map((i) => i.target));
    const [d, mms, fault, limit] = [
      asked(deviating),
      asked(persistent),
      asked({ departure: "relations" }),
      asked({ inlet_c: 27.6 }),
    ];
    for (const [more, less] of [
      [mms, d],
      [fault, mms],
      [limit, fault],
    ] as const)
      for (const target of less) expect(more).toContain(target);
  });

  it("efficiency waits from the first alarm until everything is handed back", () => {
    const alarmed = play(ticks(6, { inlet_c: 28.5, heat: hot(4) }));
    expect(isProtecting(alarmed.state)).toBe(true);
    const calm = play(ticks(300, {}), alarmed);
    const last_release = calm.log.at(-1)!.tick;
    expect(isProtecting(play(ticks(last_release, {}), alarmed).state)).toBe(true);
    expect(isProtecting(calm.state)).toBe(false);
  });
});

describe("a fault", () => {
  it("is answered while the rack is merely warm, after three ticks, by pre-cooling", () => {
    const { log } = play(ticks(4, { departure: "relations", heat: hot(1.2) }));
    expect(log).toMatchObject([{ tick: 2, severity: "fault", kind: "pre_cool", target: "pump_rpm_pct" }]);
  });

  it("adds admission control once the rack is hot", () => {
    const { log } = play(ticks(3, { departure: "relations", heat: hot(2.1) }));
    expect(targets(log)).toContain("admission_pct");
  });

  it("on a cool rack is no reason to cool", () => {
    expect(play(ticks(50, { departure: "relations", heat: hot(0.5) })).log).toEqual([]);
  });

  it("is also a speed that was read once and is not any more: that device goes to its maximum", () => {
    const silent = { pump_rpm_pct: null, heat: hot(1.2) };
    const { log } = play([{}, ...ticks(3, silent)]);
    expect(log).toMatchObject([{ tick: 3, severity: "fault", target: "pump_rpm_pct", value: 90 }]);
    expect(log[0]?.reason).toContain("pump_rpm_pct");
    expect(play(ticks(50, silent)).log, "a rack without such a sensor").toEqual([]);
  });
});

describe("a measure that cannot be taken", () => {
  const lasting = { mms_state: "persistent" as const, heat: hot(2.5), inlet_c: 25 };
  const atLimit = { ...AUTOMATIC, pump_rpm_pct: config.actuators.pump_rpm_pct.max };

  it("counts as taken where nobody drives its device or it fails, and is asked all the same", () => {
    const without_pump = { ...context, driven: RACK_TARGETS.filter((t) => t !== "pump_rpm_pct") };
    const cases = [
      play([lasting], { setpoints: atLimit }),
      play([lasting], { context: without_pump }),
      play([{ ...lasting, failing: ["pump_rpm_pct"] }]),
    ];
    for (const { log } of cases) expect(targets(log)).toContain("admission_pct");
    expect(targets(cases[1]!.log)).toContain("pump_rpm_pct");
    expect(targets(play([lasting]).log)).not.toContain("admission_pct");
  });

  it("changes nothing of the order in advisory, where no measure is taken", () => {
    const advised = { ...lasting, closed_loop: false };
    const nobody = { ...context, driven: [] };
    expect(play([advised], { context: nobody }).log).toEqual(play([advised]).log);
  });
});

describe("the guardrail hands back", () => {
  const emergency = ticks(6, { inlet_c: 28.5, heat: hot(4) });

  it("those first whose devices work, and then tries the others again", () => {
    const owned: RackTarget[] = ["power_cap_kw", "pump_rpm_pct"];
    const { log } = play(ticks(120, { failing: ["power_cap_kw"] }), {
      state: resumedGuardState(context, 0),
      setpoints: { power_cap_kw: 9, pump_rpm_pct: 87 },
      owned,
    });
    expect(log.map(({ target }) => target).slice(0, 2)).toEqual(["pump_rpm_pct", "power_cap_kw"]);
  });

  it("work by its upper limit where the device has no control of its own", () => {
    const holding = { ...context, without_own_control: ["power_cap_kw" as const] };
    const { log } = play(ticks(60, {}), {
      context: holding,
      state: resumedGuardState(context, 0),
      setpoints: { power_cap_kw: 8 },
      owned: ["power_cap_kw"],
    });
    expect(log.map(({ value }) => value).slice(0, 2)).toEqual([11, config.actuators.power_cap_kw.max]);
  });

  it("nothing before the calm time, then one measure at a time, last one first", () => {
    const { log, setpoints, owned } = play([...emergency, ...ticks(200, {})]);
    expect(owned).toEqual([]);
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

  it("the power cap first of all", () => {
    const { log } = play([...ticks(9, { inlet_c: 28.5, heat: hot(4), pdu_kw: 9.5 }), ...ticks(200, {})]);
    const releases = log.filter((i) => i.kind === "release").map((i) => [i.target, i.value]);
    expect(releases.slice(0, 2)).toEqual([
      ["power_cap_kw", 9.5],
      ["power_cap_kw", null],
    ]);
    expect(releases[2]?.[0]).toBe("routing_weight_pct");
  });

  it("only what it drove itself: an optimizer's or operator's setpoint is theirs", () => {
    const { log, setpoints } = play([...emergency, ...ticks(300, {})], { setpoints: { fan_rpm_pct: 62 } });
    expect(log.filter((i) => i.target === "fan_rpm_pct")).toEqual([]);
    expect(setpoints).toEqual({ ...AUTOMATIC, fan_rpm_pct: 62 });
  });

  it("what an earlier run left behind, after the calm time", () => {
    const { log, state } = play(ticks(100, {}), {
      state: resumedGuardState(context, 0),
      setpoints: { pump_rpm_pct: 87, fan_rpm_pct: 60 },
      owned: ["pump_rpm_pct"],
    });
    expect(log).toMatchObject([{ kind: "release", target: "pump_rpm_pct", value: null }]);
    expect(log[0]!.tick).toBeGreaterThanOrEqual(36);
    expect(isProtecting(state)).toBe(false);
  });

  it("nothing while the rack is hot or blind, even without a trigger", () => {
    for (const input of [{ heat: hot(2.2) }, { inlet_c: null, heat: { inlet_z: null, outlet_z: null } }]) {
      const { log } = play([...emergency, ...ticks(300, input)]);
      expect(log.filter((i) => i.kind === "release")).toEqual([]);
    }
  });

  it("a fan that it turned up itself, once the rack is warm by its recirculated air alone: to the device's control", () => {
    const start = { setpoints: { fan_rpm_pct: 98, pump_rpm_pct: 90 }, owned: [...OWN_SPEEDS] };
    const surplus = { inlet_c: 24.6, heat: { inlet_z: 2.6, outlet_z: -1.5 } };
    for (const mms_state of ["transient", "persistent"] as const) {
      const { log, owned } = play(ticks(30, { ...surplus, mms_state }), {
        ...start,
        state: resumedGuardState(context, 0),
      });
      const fans = log.filter((i) => i.target === "fan_rpm_pct");
      expect(fans).toMatchObject([{ kind: "release", value: null }]);
      expect(owned).toContain("pump_rpm_pct");
    }
  });

  it.each([
    ["the outlet is warm, too", { inlet_c: 24.6, heat: { inlet_z: 2.6, outlet_z: 0.2 } }],
    ["the inlet is not", { inlet_c: 22, heat: { inlet_z: 0.5, outlet_z: -1.5 } }],
    ["the inlet comes near its limit", { inlet_c: 27.6, heat: { inlet_z: 4, outlet_z: -1.5 } }],
    [
      "one reading is near the limit",
      { inlet_c: 26, hottest_inlet_c: 27.6, heat: { inlet_z: 3, outlet_z: -1 } },
    ],
  ])("not that fan while %s", (_what, input) => {
    const { log } = play(ticks(30, input), {
      setpoints: { fan_rpm_pct: 98 },
      owned: ["fan_rpm_pct"],
      state: resumedGuardState(context, 0),
    });
    expect(log.filter((i) => i.target === "fan_rpm_pct" && i.kind === "release")).toEqual([]);
  });

  it("the rack itself, to whoever wants to cool it, when it is still hot but no measure is in force any more", () => {
    const warm = ticks(60, { heat: hot(2.2), inlet_c: 24 });
    expect(isProtecting(play(warm, { state: resumedGuardState(context, 0) }).state)).toBe(false);
    const measured = { state: resumedGuardState(context, 0), setpoints: { pump_rpm_pct: 85 } };
    expect(isProtecting(play(warm, { ...measured, owned: ["pump_rpm_pct"] }).state)).toBe(true);
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
  const inlet = fc.option(fc.double({ min: 10, max: 60, noNaN: true }), { nil: null });
  const speed = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null });
  const reading = fc.record({
    inlet_c: inlet,
    hottest_inlet_c: inlet,
    heat: fc.record({ inlet_z: z, outlet_z: z }),
    d: fc.option(fc.double({ min: 0, max: 30, noNaN: true }), { nil: null }),
    mms_state: fc.constantFrom("transient" as const, "persistent" as const),
    departure: fc.constantFrom(null, "relations" as const, "change" as const),
    fan_rpm_pct: speed,
    pump_rpm_pct: speed,
    pdu_kw: fc.option(fc.double({ min: 0, max: 15, noNaN: true }), { nil: null }),
  });
  /** Racks stay as they are for a while; readings that change every tick would hardly ever let a rack calm down. */
  const spell = fc.tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.oneof(reading, fc.constant({ ...NOMINAL_READING })),
  );
  const runs = fc
    .array(spell, { minLength: 1, maxLength: 12 })
    .map((spells) => spells.flatMap(([count, input]) => ticks(count, input)));
  /** Sites set their own limits; the smallest step keeps every value a tenth. */
  const limitsOf = (low: number, high: number) =>
    fc
      .tuple(fc.double({ min: low, max: high, noNaN: true }), fc.double({ min: low, max: high, noNaN: true }))
      .chain(([a, b]) =>
        fc.record({
          min: fc.constant(Math.min(a, b)),
          max: fc.constant(Math.max(a, b)),
          step_max: fc.double({ min: 0.2, max: high, noNaN: true }),
        }),
      );
  const contexts: fc.Arbitrary<GuardContext> = fc
    .record({
      fan_rpm_pct: limitsOf(0, 100),
      pump_rpm_pct: limitsOf(0, 100),
      routing_weight_pct: limitsOf(0, 100),
      admission_pct: limitsOf(0, 100),
      batch_window_ms: limitsOf(0, 100),
      power_cap_kw: limitsOf(0, 15),
    })
    .map((actuators) => ({ ...context, actuators }));
  /** What somebody else had set before: inside the limits or not. */
  const setpoint = fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: null });
  const foreign = fc.record(
    Object.fromEntries(RACK_TARGETS.map((t) => [t, setpoint])) as Record<RackTarget, typeof setpoint>,
  );

  it("never asks for a value outside the actuators' limits, nor for too large a step", () => {
    fc.assert(
      fc.property(runs, contexts, foreign, (inputs, ruled, setpoints) => {
        for (const { target, value, from } of play(inputs, { context: ruled, setpoints }).log) {
          if (value === null) continue;
          const { min, max, step_max } = ruled.actuators[target];
          expect(value).toBeGreaterThanOrEqual(min);
          expect(value).toBeLessThanOrEqual(max);
          if (from === null) continue;
          const start = Math.min(max, Math.max(min, from));
          expect(Math.abs(value - start)).toBeLessThanOrEqual(step_max + 1e-9);
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

  it("calls only a crossing of the limit an emergency", () => {
    fc.assert(
      fc.property(runs, (inputs) => {
        for (const { emergency, severity } of play(inputs).log)
          if (emergency) expect(severity).toBe("over_limit");
      }),
    );
  });

  it("never warms the rack while there is a reason to protect, least of all over the limit", () => {
    fc.assert(
      fc.property(runs, contexts, foreign, (inputs, ruled, setpoints) => {
        for (const { target, value, kind, severity, from, tick } of play(inputs, {
          context: ruled,
          setpoints,
        }).log) {
          if (kind === "release") {
            expect(severity).toBe("none");
            expect(Math.max(inputs[tick]!.inlet_c ?? 0, inputs[tick]!.hottest_inlet_c ?? 0)).toBeLessThan(28);
            continue;
          }
          expect(value).not.toBeNull();
          const is_speed = target === "fan_rpm_pct" || target === "pump_rpm_pct";
          const before = from ?? (is_speed ? inputs[tick]![target] : null);
          if (before === null || before === undefined) continue;
          if (is_speed) expect(value).toBeGreaterThanOrEqual(before - 0.1);
          else expect(value).toBeLessThan(before);
        }
      }),
    );
  });

  it("hands everything that it owns back when the rack stays calm, and nothing else", () => {
    fc.assert(
      fc.property(runs, foreign, (inputs, setpoints) => {
        const busy = play(inputs, { setpoints });
        const { owned, state, setpoints: after } = play(ticks(1_200, {}), busy);
        expect(owned).toEqual([]);
        expect(isProtecting(state)).toBe(false);
        for (const target of RACK_TARGETS) {
          const touched = busy.log.some((i) => i.target === target);
          expect(after[target]).toBe(touched ? null : setpoints[target]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("decides the same again from what was written down as JSON", () => {
    fc.assert(
      fc.property(runs, contexts, (inputs, ruled) => {
        let state = initialGuardState(ruled);
        inputs.forEach((input, tick) => {
          const seen = { ...NOMINAL, ...input, now_ms: tick * TICK_MS };
          const written = JSON.stringify({ ruled, state, seen });
          const decided = guard(ruled, state, seen);
          const again = JSON.parse(written);
          expect(guard(again.ruled, again.state, again.seen)).toEqual(decided);
          state = decided.state;
        });
      }),
      { numRuns: 30 },
    );
  });

  it("ranks what it sees", () => {
    expect(SEVERITIES).toEqual([
      "none",
      "deviation",
      "persistent",
      "fault",
      "blind",
      "near_limit",
      "over_limit",
    ]);
  });
});
