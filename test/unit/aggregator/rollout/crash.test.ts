import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CrashingSite, crashingSite } from "../../../support/crashing-site.ts";
import { smallModel } from "../../../support/models.ts";

const models = ["old", "good", "bad"].map((id, i) => ({
  id,
  model: smallModel({ seed: i + 1, created_ms: Date.UTC(2026, 0, 3 - i), clusters: 2 }),
}));
const fileOf = (id: string) => models.find((one) => one.id === id)!.model;
const BAD = fileOf("bad").id;
const given = (embedded: boolean) =>
  crashingSite({
    models: models.map(({ model }) => model),
    alarming: (model_id) => (model_id === BAD ? 0.4 : 0.05),
    embedded,
  });

const start = (site: CrashingSite, id: string, gated = true) =>
  site.act((rollouts, registry) =>
    rollouts.start(registry.find(fileOf(id).sha256)!, { gated, by: "test", reason: id }),
  );

/** Everybody is online, nothing dies any more: time enough for whatever is under way to end. */
function settle(site: CrashingSite): void {
  site.crashAfter(Number.POSITIVE_INFINITY);
  for (const i of site.agents.keys()) site.setOnline(i, true);
  site.run(30);
  for (let i = 0; i < 20 && site.rollouts().list()[0]?.state === "running"; i++) site.run(30);
  site.run(2);
}

function converged(site: CrashingSite): void {
  const release = site.rollouts().scorer()!.model.sha256;
  const pins = new Map(
    site
      .registry()
      .pins()
      .map((pin) => [pin.scope, pin.sha256]),
  );
  const wanted = site.agents.map(({ rack_id }) => pins.get(rack_id) ?? release);
  expect(site.agents.map(({ sha256 }) => sha256)).toEqual(wanted);
  expect(site.rollouts().list()[0]?.state).not.toBe("running");
  expect(site.registry().active()?.sha256).toBe(release);
  expect(
    site
      .registry()
      .list()
      .filter(({ stage }) => stage === "canary"),
  ).toEqual([]);
  expect(site.counters.every((counter, i) => i === 0 || counter > site.counters[i - 1]!)).toBe(true);
  expect(site.ahead_of_disk).toEqual([]);
}

describe("a rollout over power cuts", () => {
  it("without any, brings a good model to every rack and takes a bad one back", () => {
    const site = given(false);
    site.run(30);
    start(site, "good");
    settle(site);
    converged(site);
    expect(site.rollouts().scorer()!.model.id).toBe(fileOf("good").id);
    start(site, "bad");
    settle(site);
    converged(site);
    expect(site.rollouts().list()[0]).toMatchObject({ state: "rolled_back", model_id: BAD });
    expect(site.rollouts().scorer()!.model.id).toBe(fileOf("good").id);
  });

  it("ends the same wherever the aggregator dies on the way: every other boundary of a good and of a bad one", () => {
    for (const [id, ends, first] of [
      ["good", "completed", 0],
      ["bad", "rolled_back", 1],
    ] as const) {
      for (let boundaries = first; boundaries < 60; boundaries += 2) {
        const site = given(boundaries % 4 < 2);
        site.run(30);
        start(site, "good", false);
        site.run(15);
        start(site, "old", false);
        site.run(30);
        site.crashAfter(boundaries);
        start(site, id);
        site.run(25);
        settle(site);
        converged(site);
        // A start that died before it was on the disk never was.
        const last = site.rollouts().list()[0]!;
        if (last.reason === id && last.gated)
          expect([boundaries, last.state, last.state === ends || last.story]).toEqual([
            boundaries,
            ends,
            true,
          ]);
      }
    }
  }, 240_000);

  it("ends the same wherever the aggregator dies on the way of a halt", () => {
    for (let boundaries = 0; boundaries < 20; boundaries++) {
      const site = given(boundaries % 2 === 0);
      site.run(30);
      start(site, "old", false);
      site.run(15);
      start(site, "good", false);
      site.run(0.5);
      site.crashAfter(boundaries);
      site.act((rollouts) => rollouts.halt(rollouts.list()[0]!.id, "test", "halt"));
      settle(site);
      converged(site);
    }
  });

  it("waits for no rack of a row that is pinned meanwhile, wherever the aggregator dies on the way of the pin", () => {
    const pinned_racks = ["R-B-01", "R-B-02", "R-B-03"];
    const pins = [];
    for (let boundaries = 0; boundaries <= 5; boundaries++) {
      const site = given(boundaries % 2 === 0);
      site.run(30);
      start(site, "good", false);
      site.run(15);
      start(site, "old");
      site.run(1);
      site.crashAfter(boundaries);
      site.act((rollouts, registry) => {
        registry.pin("B", fileOf("good").sha256, "test");
        rollouts.pinsChanged();
      });
      site.run(2);
      const [rollout] = site.rollouts().list();
      expect(rollout).toMatchObject({ state: "running", gated: true });
      const pinned = site.registry().pins().length > 0;
      pins.push(pinned);
      const awaited = rollout!.waves.flatMap(({ racks }) => racks);
      const left_out = pinned_racks.filter((rack_id) => !awaited.includes(rack_id));
      expect([boundaries, left_out]).toEqual([boundaries, pinned ? pinned_racks : []]);
    }
    // A pin that died before it was on the disk never was.
    expect(pins).toEqual([false, true, true, true, true, true]);
  });

  it("converges whatever happens in whichever order: starts, halts, roll-backs, pins, deaths of either side", () => {
    const event = fc.oneof(
      fc.record({
        kind: fc.constant("start" as const),
        id: fc.constantFrom("old", "good", "bad"),
        gated: fc.boolean(),
      }),
      fc.record({ kind: fc.constantFrom("halt" as const, "rollback" as const) }),
      fc.record({ kind: fc.constant("crash" as const), after: fc.integer({ min: 0, max: 25 }) }),
      fc.record({
        kind: fc.constantFrom("agent" as const, "offline" as const, "online" as const),
        i: fc.nat(5),
      }),
      fc.record({ kind: fc.constant("pin" as const), i: fc.nat(5), id: fc.constantFrom("old", "good") }),
      fc.record({ kind: fc.constant("run" as const), seconds: fc.integer({ min: 1, max: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), fc.boolean(), (events, embedded) => {
        const site = given(embedded);
        site.run(10);
        for (const happens of events) {
          if (happens.kind === "start") start(site, happens.id, happens.gated);
          else if (happens.kind === "crash") site.crashAfter(happens.after);
          else if (happens.kind === "agent") site.restartAgent(happens.i);
          else if (happens.kind === "offline") site.setOnline(happens.i, false);
          else if (happens.kind === "online") site.setOnline(happens.i, true);
          else if (happens.kind === "run") site.run(happens.seconds);
          else site.act((rollouts, registry) => operate(happens as Operation, rollouts, registry));
          site.run(0.5);
        }
        settle(site);
        converged(site);
      }),
      { numRuns: 60 },
    );
  }, 240_000);

  type Operation = { kind: "halt" | "rollback" } | { kind: "pin"; i: number; id: string };
  type Registry = ReturnType<CrashingSite["registry"]>;
  type Rollouts = ReturnType<CrashingSite["rollouts"]>;

  function operate(happens: Operation, rollouts: Rollouts, registry: Registry): void {
    const [newest] = rollouts.list();
    if (happens.kind === "pin") {
      const rack_id = `R-A-0${(happens.i % 3) + 1}`;
      registry.pin(rack_id, fileOf(happens.id).sha256, "test");
      rollouts.pinsChanged();
    } else if (happens.kind === "halt") {
      const racks = newest?.state === "running" && newest.previous_id !== null;
      if (newest && racks) rollouts.halt(newest.id, "test", "halt");
    } else if (registry.previous() || (newest?.state === "running" && newest.gated)) {
      rollouts.rollback("test", "rollback");
    }
  }
});
