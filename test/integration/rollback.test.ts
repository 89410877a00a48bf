import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { SetpointAction } from "../../aggregator/actions/action-log.ts";
import { openQuarantine } from "../../aggregator/control/quarantine.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { SkadiError } from "../../shared/errors.ts";
import { createLog } from "../../shared/log.ts";
import { seededRandom } from "../../shared/random.ts";
import { isoTime } from "../../shared/time.ts";
import { commitsOf } from "../support/commits.ts";
import { drivenHall } from "./driven-hall.ts";

const log = createLog("test", "silent");
const NOON = Date.UTC(2026, 0, 15, 12);
const FAN = "fan_rpm_pct";
const PUMP = "pump_rpm_pct";

function hallAt(start_ms: number, seed = 1) {
  const hall = drivenHall({ start_ms, seed });
  onTestFinished(() => hall.close());
  return hall;
}

/** Rounds until a device is in quarantine, at most three. */
function cyclesUntilQuarantined(hall: ReturnType<typeof hallAt>, rack_id: string, target: string): number {
  for (let cycle = 1; cycle <= 3; cycle++) {
    hall.cycle();
    if (hall.quarantine.has(rack_id, target)) return cycle;
  }
  return Number.POSITIVE_INFINITY;
}

describe("an actuator that does the opposite of what is asked", () => {
  it.each([1, 2, 3])("is found, taken back and put into quarantine within three rounds (seed %i)", (seed) => {
    const hall = hallAt(NOON, seed);
    hall.defects.set(`R-A-05/${FAN}`, (value) => 150 - value);
    hall.run(30);
    expect(hall.change("R-A-05", FAN, 60)).toBe(true);
    expect(hall.change("R-A-06", FAN, 60)).toBe(true);
    expect(hall.plant.target("R-A-05", FAN)).toBe(90);

    expect(cyclesUntilQuarantined(hall, "R-A-05", FAN)).toBeLessThanOrEqual(3);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    expect(hall.eventsOf("rollback").map((event) => event.rack_id)).toEqual(["R-A-05"]);
    expect(hall.eventsOf("quarantine").map((event) => event.data.state)).toEqual(["quarantined"]);
    expect(hall.quarantine.list()).toMatchObject([
      { rack_id: "R-A-05", target: FAN, reason: expect.stringMatching(/moved away/) },
    ]);
    // Its neighbour, which did as it was asked, stays as it is.
    expect(hall.plant.target("R-A-06", FAN)).toBe(60);
  });

  it("is not changed again, by nobody, until an operator releases it", () => {
    const hall = hallAt(NOON);
    hall.defects.set(`R-A-05/${FAN}`, (value) => 150 - value);
    hall.run(30);
    hall.change("R-A-05", FAN, 60);
    expect(cyclesUntilQuarantined(hall, "R-A-05", FAN)).toBeLessThanOrEqual(3);
    hall.run(60);
    expect(hall.trials.resting("R-A-05", FAN, hall.clock.now() + 86_400_000)).toBe(true);
    expect(hall.change("R-A-05", FAN, 65)).toBe(false);
    expect(() => hall.actions.send({ ...hall.store.actions.get("change-1")!, id: "x" } as never)).toThrow(
      /quarantine/,
    );
    // It outlives a restart.
    const { store, clock } = hall;
    const reopened = openQuarantine({
      store,
      clock,
      events: { publish() {}, subscribe: () => () => {}, since: () => [] },
      log,
    });
    expect(reopened.has("R-A-05", FAN)).toBe(true);

    expect(commitsOf(() => hall.quarantine.release("R-A-05", FAN))).toEqual(["synced"]);
    hall.defects.clear();
    expect(hall.change("R-A-05", FAN, 60)).toBe(true);
    expect(() => hall.quarantine.release("R-A-05", FAN)).toThrow(SkadiError);
  });

  it("is found when it does nothing at all, too", () => {
    const hall = hallAt(NOON);
    hall.defects.set(`R-B-02/${PUMP}`, () => null);
    hall.run(30);
    const now_pct = hall.plant.truth("R-B-02").pump_rpm_pct;
    hall.change("R-B-02", PUMP, Math.round(now_pct + 12));
    expect(cyclesUntilQuarantined(hall, "R-B-02", PUMP)).toBe(3);
    expect(hall.quarantine.list()[0]?.reason).toMatch(/did not move/);
  });
});

describe("a change that makes its rack worse", () => {
  it("is taken back, and its device rests, without being blamed", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    // Far more air than the tile gives: recirculation warms the inlet, and the fans take power.
    expect(hall.change("R-A-05", FAN, 95)).toBe(true);
    for (let cycle = 0; cycle < 3; cycle++) hall.cycle();
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    expect(hall.eventsOf("rollback")[0]?.data.worsened).toMatch(/rose by [\d.]+ ± [\d.]+/);
    expect(hall.quarantine.list()).toEqual([]);
    expect(hall.trials.resting("R-A-05", FAN, hall.clock.now())).toBe(true);
  });
});

describe("a change of a rack of which little is known", () => {
  const row = ["R-A-01", "R-A-02", "R-A-03", "R-A-04", "R-A-06"];
  const warmed = (hall: ReturnType<typeof hallAt>, cycles = 3) => {
    hall.run(40);
    expect(hall.change("R-A-05", FAN, 95)).toBe(true);
    return () => {
      for (let cycle = 0; cycle < cycles; cycle++) hall.cycle();
      return hall.eventsOf("rollback").map(({ data }) => data.worsened);
    };
  };

  it.each([
    ["no rack of its row but itself reports", row],
    ["only one other does", row.slice(1)],
  ])("is taken back for what it does, where %s", (_what, unreported) => {
    const hall = hallAt(NOON);
    for (const rack_id of unreported) hall.unreported.add(rack_id);
    expect(warmed(hall)()).toEqual([expect.stringMatching(/inlet rose/)]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it.each([
    ["its neighbours fall silent", row],
    ["its p95 and its power are not reported any more", ["R-A-05/latency_p95_ms", "R-A-05/pdu_kw"]],
    ["its load is not", ["R-A-05/tokens_ps"]],
  ])("is taken back for what it does, where %s with the change", (_what, unreported) => {
    const hall = hallAt(NOON);
    const after = warmed(hall);
    for (const gap of unreported) hall.unreported.add(gap);
    expect(after()).toEqual([expect.stringMatching(/inlet rose/)]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it("is handed back where nothing could be said of it in twice the usual time", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, 70);
    hall.run(1);
    hall.unreported.add("R-A-05");
    for (let cycle = 0; cycle < 5; cycle++) hall.cycle();
    expect([hall.plant.target("R-A-05", FAN), hall.eventsOf("rollback")]).toEqual([70, []]);
    hall.cycle();
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    expect(hall.eventsOf("rollback")).toMatchObject([
      { data: { worsened: expect.stringMatching(/could not be judged/) } },
    ]);
    expect(hall.quarantine.list()).toEqual([]);
  });

  it("stands where telemetry comes back in time", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, 60);
    hall.run(1);
    hall.unreported.add("R-A-05");
    for (let cycle = 0; cycle < 3; cycle++) hall.cycle();
    hall.unreported.clear();
    for (let cycle = 0; cycle < 6; cycle++) hall.cycle();
    expect([hall.plant.target("R-A-05", FAN), hall.eventsOf("rollback")]).toEqual([60, []]);
    expect(hall.store.actions.get("change-1")?.realized_saving_kw).toBeDefined();
  });
});

describe("taking back what made a rack worse", () => {
  const worsened = () => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, 95);
    return hall;
  };
  const rounds = (hall: ReturnType<typeof hallAt>, n: number) => {
    for (let cycle = 0; cycle < n; cycle++) hall.cycle();
  };
  const rollbacksOf = (hall: ReturnType<typeof hallAt>) =>
    hall.store.actions.recent(1_000).filter(({ kind }) => kind === "rollback");

  it("goes on until the agent does it, where it refused at first", () => {
    const hall = worsened();
    hall.run(1);
    hall.obedience.set("R-A-05", "refuses");
    rounds(hall, 4);
    expect(hall.plant.target("R-A-05", FAN)).toBe(95);
    expect(rollbacksOf(hall).map(({ outcome }) => outcome)).toContain("refused");
    hall.obedience.clear();
    rounds(hall, 1);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    const sent = rollbacksOf(hall).length;
    rounds(hall, 2);
    expect([rollbacksOf(hall).length, hall.eventsOf("rollback").length]).toEqual([sent, 1]);
  });

  it("goes on where the agent never heard of it, but not while an answer may still come", () => {
    const hall = worsened();
    hall.run(1);
    hall.obedience.set("R-A-05", "is_unheard");
    rounds(hall, 1);
    expect(rollbacksOf(hall)).toMatchObject([{ outcome: "sent" }]);
    hall.trials.settle(hall.clock.now());
    expect(rollbacksOf(hall)).toHaveLength(1);
    rounds(hall, 1);
    expect(rollbacksOf(hall)).toHaveLength(2);
  });

  it("waits while the guardrail protects the rack, which would refuse", () => {
    const hall = worsened();
    hall.run(1);
    const rack = hall.fleet.get("R-A-05")!;
    rack.score = { guarded: true } as NonNullable<typeof rack.score>;
    rounds(hall, 4);
    expect([hall.plant.target("R-A-05", FAN), rollbacksOf(hall)]).toEqual([95, []]);
    rack.score = null;
    rounds(hall, 1);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it("waits for an agent that is away, and is sent once when it is back", () => {
    const hall = worsened();
    hall.run(1);
    hall.setOnline("R-A-05", false);
    rounds(hall, 5);
    expect(rollbacksOf(hall)).toEqual([]);
    hall.setOnline("R-A-05", true);
    rounds(hall, 2);
    expect(rollbacksOf(hall)).toMatchObject([{ outcome: "applied" }]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it("is forgotten where somebody else has set the device since", () => {
    const hall = worsened();
    hall.run(1);
    hall.obedience.set("R-A-05", "refuses");
    rounds(hall, 4);
    const changed = hall.store.actions.get("change-1")!;
    const other = { ...changed, id: "R-A-05-1", source: "guardrail" as const, kind: "pre_cool" as const };
    hall.actions.fromAgent({ ...other, ts: isoTime(hall.clock.now()), from: 95, to: 80 });
    hall.obedience.clear();
    const sent = rollbacksOf(hall).length;
    rounds(hall, 2);
    expect(rollbacksOf(hall)).toHaveLength(sent);
  });
});

describe("a disk that cannot be written", () => {
  const failing = (hall: ReturnType<typeof hallAt>) =>
    vi.spyOn(hall.store, "flush").mockImplementation(() => {
      throw new Error("database or disk is full");
    });

  it("keeps no rollback, hand-back or quarantine from being done, for any rack", () => {
    const hall = hallAt(NOON);
    hall.defects.set(`R-A-02/${FAN}`, (value) => 150 - value);
    hall.run(40);
    hall.change("R-A-02", FAN, 60);
    hall.change("R-A-05", FAN, 95);
    hall.change("R-B-03", FAN, 60);
    hall.run(1);
    failing(hall);
    for (let cycle = 0; cycle < 3; cycle++) hall.cycle();
    expect(["R-A-02", "R-A-05"].map((rack_id) => hall.plant.target(rack_id, FAN))).toEqual([null, null]);
    expect(hall.quarantine.has("R-A-02", FAN)).toBe(true);
    expect(hall.plant.target("R-B-03", FAN)).toBe(60);
    hall.trials.handBack(hall.clock.now());
    expect(hall.plant.target("R-B-03", FAN)).toBeNull();
  });

  it("lets no change leave, and does not end the round for the others", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    const disk = failing(hall);
    expect(hall.change("R-A-05", FAN, 60)).toBe(false);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    disk.mockRestore();
    expect(hall.store.actions.get("change-1")?.outcome).toBe("refused");
    expect(hall.actions.unanswered()).toEqual([]);
    expect(hall.change("R-A-06", FAN, 60)).toBe(true);
  });
});

describe("a change that is found harmful while nothing may be driven", () => {
  const HALTS = {
    "the kill switch": [{ kill_switch: true }, { kill_switch: false }],
    "advisory mode": [{ mode: "advisory" }, { mode: "closed_loop" }],
  } as const;
  const rollbacksOf = (hall: ReturnType<typeof hallAt>) =>
    hall.store.actions.recent(1_000).filter(({ kind }) => kind === "rollback");

  it.each(["the kill switch", "advisory mode"] as const)("is taken back as soon as %s is lifted", (halt) => {
    const [halted, lifted] = HALTS[halt];
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, 95);
    hall.run(1);
    hall.mode.set(halted);
    // Its D is high, too, all the while: one and the same change is advised against once.
    hall.deviate("R-A-05");
    for (let cycle = 0; cycle < 30; cycle++) hall.cycle();
    expect(hall.plant.target("R-A-05", FAN)).toBe(95);
    expect(rollbacksOf(hall)).toMatchObject([{ outcome: "advised" }]);
    // An hour later it is still not built upon.
    expect(hall.trials.resting("R-A-05", FAN, hall.clock.now())).toBe(true);
    hall.mode.set(lifted);
    expect(hall.change("R-A-05", FAN, 90)).toBe(false);
    hall.cycle();
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    expect(rollbacksOf(hall).map(({ outcome }) => outcome)).toEqual(["applied", "advised"]);
    expect(hall.eventsOf("rollback")).toHaveLength(1);
  });

  it("is handed back then, where the device itself is at fault", () => {
    const hall = hallAt(NOON);
    hall.defects.set(`R-A-05/${FAN}`, (value) => 150 - value);
    hall.run(30);
    hall.change("R-A-05", FAN, 95);
    hall.run(1);
    hall.mode.set({ mode: "advisory" });
    expect(cyclesUntilQuarantined(hall, "R-A-05", FAN)).toBeLessThanOrEqual(3);
    expect(hall.plant.target("R-A-05", FAN)).toBe(55);
    hall.mode.set({ mode: "closed_loop" });
    hall.cycle();
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });
});

describe("a restart of the aggregator", () => {
  const changed = (to = 95) => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, to);
    hall.run(1);
    return hall;
  };
  const rounds = (hall: ReturnType<typeof hallAt>, n: number) => {
    for (let cycle = 0; cycle < n; cycle++) hall.cycle();
  };

  it.each([0, 180])("forgets no trial, though it takes %i minutes", (minutes) => {
    const hall = changed();
    hall.run(minutes);
    hall.restart();
    rounds(hall, 3);
    expect(hall.eventsOf("rollback")).toMatchObject([
      { data: { worsened: expect.stringMatching(/inlet rose/) } },
    ]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it("forgets no device that does not do as it is asked", () => {
    const hall = hallAt(NOON);
    hall.defects.set(`R-A-05/${FAN}`, (value) => 150 - value);
    hall.run(30);
    hall.change("R-A-05", FAN, 60);
    hall.restart();
    expect(cyclesUntilQuarantined(hall, "R-A-05", FAN)).toBeLessThanOrEqual(3);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it.each(["the agent refused", "nothing might be driven"])(
    "forgets nothing that is still to be taken back, because %s",
    (why) => {
      const hall = changed();
      if (why === "the agent refused") hall.obedience.set("R-A-05", "refuses");
      else hall.mode.set({ mode: "advisory" });
      rounds(hall, 4);
      hall.restart();
      expect(hall.plant.target("R-A-05", FAN)).toBe(95);
      hall.obedience.clear();
      hall.mode.set({ mode: "closed_loop" });
      rounds(hall, 1);
      expect(hall.plant.target("R-A-05", FAN)).toBeNull();
      expect(hall.eventsOf("rollback")).toHaveLength(1);
      hall.restart();
      const commands = hall.commands.length;
      rounds(hall, 2);
      expect(hall.commands).toHaveLength(commands);
    },
  );

  it("lets what was taken back rest on", () => {
    const hall = changed();
    rounds(hall, 3);
    hall.restart();
    expect(hall.trials.resting("R-A-05", FAN, hall.clock.now())).toBe(true);
    expect(hall.trials.resting("R-A-05", FAN, hall.clock.now() + 1_800_000)).toBe(false);
  });

  it("leaves a change that was judged good under watch", () => {
    const hall = changed(60);
    rounds(hall, 4);
    hall.restart();
    rounds(hall, 1);
    expect(hall.eventsOf("rollback")).toEqual([]);
    hall.deviate("R-A-05");
    rounds(hall, 1);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });
});

describe("a change that nobody answered", () => {
  it.each(["its trial was over", "a restart"])("is watched when the answer comes after %s", (when) => {
    const hall = hallAt(NOON);
    hall.run(30);
    hall.obedience.set("R-A-05", "is_unheard");
    hall.change("R-A-05", FAN, 60);
    if (when === "a restart") hall.restart();
    for (let cycle = 0; cycle < 4; cycle++) hall.cycle();
    hall.answer("change-1", "applied");
    hall.obedience.clear();
    hall.cycle();
    expect(hall.eventsOf("rollback")).toEqual([]);
    hall.deviate("R-A-05");
    hall.cycle();
    expect(hall.eventsOf("rollback")).toMatchObject([{ rack_id: "R-A-05", data: { action_id: "change-1" } }]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });

  it("is handed back with the others for a comparison: it may have been carried out", () => {
    const hall = hallAt(NOON);
    hall.run(30);
    hall.obedience.set("R-A-05", "is_unheard");
    hall.change("R-A-05", FAN, 60);
    for (let cycle = 0; cycle < 4; cycle++) hall.cycle();
    expect(hall.trials.handBack(hall.clock.now()).map(({ rack_id, to }) => [rack_id, to])).toEqual([
      ["R-A-05", null],
    ]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });
});

describe("a device that the guardrail set after the optimizer", () => {
  it("is not blamed for what the guardrail had it do", () => {
    const hall = hallAt(NOON);
    hall.run(30);
    hall.change("R-A-05", FAN, 60);
    hall.run(1);
    const changed = hall.store.actions.get("change-1")!;
    const pre_cool = { ...changed, id: "R-A-05-1", source: "guardrail" as const, kind: "pre_cool" as const };
    hall.plant.setTarget("R-A-05", FAN, 95);
    hall.actions.fromAgent({ ...pre_cool, ts: isoTime(hall.clock.now()), from: 60, to: 95 });
    for (let cycle = 0; cycle < 4; cycle++) hall.cycle();
    expect(hall.quarantine.list()).toEqual([]);
    expect(hall.plant.target("R-A-05", FAN)).toBe(95);
  });

  it("is the guardrail's still when the change's saving is noted", () => {
    const hall = hallAt(NOON);
    hall.run(30);
    hall.change("R-A-05", FAN, 60);
    hall.cycle();
    const changed = hall.store.actions.get("change-1")!;
    const pre_cool = { ...changed, id: "R-A-05-1", source: "guardrail" as const, kind: "pre_cool" as const };
    hall.plant.setTarget("R-A-05", FAN, 95);
    hall.actions.fromAgent({ ...pre_cool, ts: isoTime(hall.clock.now()), from: 60, to: 95 });
    expect(hall.trials.handBack(hall.clock.now())).toEqual([]);
    expect(hall.store.actions.get("change-1")?.realized_saving_kw).toBeDefined();
    expect(hall.actions.setpoints.value("R-A-05", FAN)).toBe(95);
  });
});

describe("a setpoint in force", () => {
  /** Advice for another rack, as an advisory row makes it for weeks. */
  const advise = (hall: ReturnType<typeof hallAt>, count: number) => {
    const advice = { ...hall.store.actions.get("change-1")!, rack_id: "R-B-01", outcome: "advised" as const };
    for (let n = 0; n < count; n++)
      hall.store.actions.put({ ...advice, id: `advice-${n}`, ts: isoTime(hall.clock.now() + n) });
  };

  it.each(["the same run", "another run"])("is known in %s, however much was advised since", (run) => {
    const hall = hallAt(NOON);
    hall.run(10);
    hall.change("R-A-05", FAN, 60);
    for (let cycle = 0; cycle < 4; cycle++) hall.cycle();
    advise(hall, 5_001);
    if (run === "another run") hall.restart();
    expect(hall.actions.inForce().map(({ id }) => id)).toEqual(["change-1"]);
    expect(hall.actions.setpoints.value("R-A-05", FAN)).toBe(60);
    hall.trials.handBack(hall.clock.now());
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    expect(hall.actions.inForce()).toEqual([]);
  });

  it("is handed back, too, where it is what a change was taken back to", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, 60);
    for (let cycle = 0; cycle < 4; cycle++) hall.cycle();
    hall.change("R-A-05", FAN, 95);
    for (let cycle = 0; cycle < 3; cycle++) hall.cycle();
    expect(hall.plant.target("R-A-05", FAN)).toBe(60);
    hall.run(2);
    hall.restart();
    hall.trials.handBack(hall.clock.now());
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });
});

describe("a pause for comparison", () => {
  it("hands back what the optimizer set, and judges none of it", () => {
    const hall = hallAt(NOON);
    hall.run(10);
    hall.change("R-A-05", FAN, 60);
    hall.change("R-B-01", PUMP, 60);
    hall.cycle();
    const released = hall.trials.handBack(hall.clock.now());
    expect(released.map(({ rack_id, to }) => [rack_id, to])).toEqual([
      ["R-B-01", null],
      ["R-A-05", null],
    ]);
    expect([hall.plant.target("R-A-05", FAN), hall.plant.target("R-B-01", PUMP)]).toEqual([null, null]);
    for (let cycle = 0; cycle < 3; cycle++) hall.cycle();
    expect(hall.trials.handBack(hall.clock.now())).toEqual([]);
    expect([hall.quarantine.list(), hall.eventsOf("rollback")]).toEqual([[], []]);
  });
});

describe("a device that could not be handed back for a comparison", () => {
  const paused = (hall: ReturnType<typeof hallAt>) => {
    hall.cycle();
    return hall.trials.handBack(hall.clock.now()).map(({ rack_id }) => rack_id);
  };

  it.each([1, 4])(
    "stays under watch, and is handed back as soon as its agent does it (after round %i)",
    (n) => {
      const hall = hallAt(NOON);
      hall.run(40);
      hall.change("R-A-05", FAN, 60);
      for (let cycle = 1; cycle < n; cycle++) hall.cycle();
      hall.obedience.set("R-A-05", "refuses");
      expect([paused(hall), paused(hall)]).toEqual([["R-A-05"], ["R-A-05"]]);
      hall.deviate("R-A-05");
      hall.cycle();
      expect(hall.eventsOf("rollback")).toMatchObject([{ data: { action_id: "change-1" } }]);
      hall.obedience.clear();
      hall.cycle();
      expect(hall.plant.target("R-A-05", FAN)).toBeNull();
    },
  );

  it("is nothing of the optimizer's any more once it was handed back, whoever sets it next", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.change("R-A-05", FAN, 60);
    expect([paused(hall), paused(hall)]).toEqual([["R-A-05"], []]);
    const released = hall.store.actions.get("change-1")!;
    const own = { ...released, id: "own", source: "operator" as const, kind: "manual" as const };
    hall.run(2);
    hall.actions.send({ ...own, ts: isoTime(hall.clock.now()) } as SetpointAction);
    hall.deviate("R-A-05");
    hall.cycle();
    expect([hall.plant.target("R-A-05", FAN), hall.eventsOf("rollback")]).toEqual([60, []]);
  });

  it("is handed back later, where nobody knows yet whether it was changed", () => {
    const hall = hallAt(NOON);
    hall.run(40);
    hall.obedience.set("R-A-05", "is_unheard");
    hall.change("R-A-05", FAN, 60);
    expect(hall.trials.handBack(hall.clock.now())).toEqual([]);
    expect([paused(hall), paused(hall)]).toEqual([["R-A-05"], ["R-A-05"]]);
    hall.obedience.clear();
    expect([paused(hall), paused(hall)]).toEqual([["R-A-05"], []]);
    expect(hall.plant.target("R-A-05", FAN)).toBeNull();
  });
});

describe("a healthy plant", () => {
  it("has no device in quarantine after a day of changes all over it", () => {
    const hall = hallAt(Date.UTC(2026, 0, 15), 7);
    const random = seededRandom("healthy day");
    const { actuators } = AggregatorConfig.parse({});
    const pick = <T>(items: readonly T[]) => items[Math.floor(random.uniform() * items.length)]!;
    let changes = 0;
    hall.run(30);
    for (let cycle = 0; cycle < 705; cycle++) {
      for (let n = 0; n < 2; n++) {
        const rack_id = pick(hall.rack_ids);
        const target = pick([FAN, PUMP, "batch_window_ms"] as const);
        const now = target === "batch_window_ms" ? 20 : hall.plant.truth(rack_id)[target];
        const { min, max } = actuators[target];
        const to = Math.round(Math.max(min, Math.min(max, now + random.range(-12, 6))));
        if (!hall.trials.resting(rack_id, target, hall.clock.now()) && hall.change(rack_id, target, to))
          changes++;
      }
      hall.cycle();
    }
    expect(changes).toBeGreaterThan(1_000);
    expect(hall.quarantine.list()).toEqual([]);
  }, 240_000);
});
