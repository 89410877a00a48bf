import { describe, expect, it } from "vitest";
import type { WaveEvidence } from "../../../../aggregator/models/rollout/gates.ts";
import { type Observation, type SeenRack, step } from "../../../../aggregator/models/rollout/machine.ts";
import { NO_MODELS, offeredRacks, type SiteModels } from "../../../../aggregator/models/rollout/state.ts";
import { emptyTally, type Tally } from "../../../../aggregator/models/rollout/tallies.ts";
import { racksOf, rowNames } from "../../../../shared/contracts/rack.ts";
import { reject } from "../../../../shared/errors.ts";
import { NEW, OLD, rolloutConfig } from "../../../support/rollout-site.ts";

const RACKS = racksOf(rowNames(3), 4);
const SOAK_S = 60;
const config = rolloutConfig({
  ...{ canary_share: 0.1, canary_min: 2, wave_shares: [0.5, 1], soak_s: SOAK_S, answer_s: 10 },
});
const THIRD = { model_id: "third", sha256: "2".repeat(64) };

const tally = (model_id: string, alarms: number): Tally => ({
  ...emptyTally(model_id),
  scores: 200,
  alarms,
  bins: [0, 0, 40, 60, 60, 40 - alarms, 0, alarms, 0, 0],
});
/** Every rack alarms at 5 %; those with the new model at `alarms_after` of 200. */
const evidence =
  (alarms_after: number) =>
  (rollout: NonNullable<SiteModels["rollout"]>, wave: { racks: string[] }): WaveEvidence => ({
    treated: wave.racks.map(() => ({ before: tally("old", 10), now: tally("new", alarms_after) })),
    controls: RACKS.filter((rack_id) => !wave.racks.includes(rack_id)).map((_, i) => ({
      before: tally("old", 9 + (i % 3)),
      now: tally("old", 9 + ((i + 1) % 3)),
    })),
    pairs: rollout.waves.flatMap(({ racks }) =>
      racks.map((_, i) => ({
        ...{ samples: 200, alarms_before: 10, alarms_after: alarms_after + (i % 2), differ: 4 },
        bins_before: tally("old", 10).bins,
        bins_after: tally("new", alarms_after).bins,
      })),
    ),
    expected: null,
  });
const nothing = () => (): WaveEvidence => ({ treated: [], controls: [], pairs: [], expected: null });

/** A site whose agents behave as told; time and everything else is the test's. */
function given(options: { racks?: readonly string[]; release?: typeof OLD | null } = {}) {
  const { racks = RACKS, release = OLD } = options;
  let now_ms = Date.UTC(2026, 0, 1);
  let site: SiteModels = { ...NO_MODELS, release };
  let judged: ReturnType<typeof evidence> = evidence(10);
  /** Since when. */
  const offline = new Map<string, number>();
  const drops = new Map<string, number>();
  const silent = new Set<string>();
  const refusing = new Set<string>();
  const see = (observation: Observation) => {
    const next = step(site, observation, now_ms, config);
    site = next.site;
    return next.publish;
  };
  const runs = (rack_id: string) => {
    if (silent.has(rack_id) || refusing.has(rack_id)) return OLD.sha256;
    const { canary, wave } = offeredRacks(site.rollout);
    const has = canary.includes(rack_id) || wave.includes(rack_id);
    return has ? site.rollout!.model.sha256 : (site.release?.sha256 ?? null);
  };
  const seen = (rack_id: string): SeenRack => ({
    online: !offline.has(rack_id),
    since_ms: offline.get(rack_id) ?? 0,
    drops: drops.get(rack_id) ?? 0,
    sha256: offline.has(rack_id) ? null : runs(rack_id),
    answer:
      refusing.has(rack_id) && !offline.has(rack_id)
        ? { ok: false, errors: [reject("SKADI_MODEL_FEATURES")] }
        : null,
  });
  return {
    ...{ offline, drops, silent, refusing, see },
    now_ms: () => now_ms,
    site: () => site,
    rollout: () => site.rollout!,
    start: (model = NEW, gated = true) =>
      see({
        ...{ kind: "start", id: `r-${model.model_id}`, model, gated, by: "operator", reason: "a test" },
        racks: racks.map((rack_id) => ({ rack_id, troubled: offline.has(rack_id) })),
      }),
    /** What the gates will see from now on. */
    shows(next: ReturnType<typeof evidence>) {
      judged = next;
    },
    look: () =>
      see({
        kind: "look",
        racks: new Map(racks.map((rack_id) => [rack_id, seen(rack_id)])),
        baseline: () => ({}),
        evidence: judged,
      }),
    wait(seconds: number) {
      now_ms += seconds * 1000;
      return this.look();
    },
    story: () => site.rollout!.story.map(({ text }) => text),
    waves: () => site.rollout!.waves.map(({ state }) => state),
  };
}

describe("a gated rollout", () => {
  it("goes from the canary over soaking and waves to everybody, and publishes at every offer and at the end", () => {
    const site = given();
    site.start();
    expect(site.look()).toBe(true);
    expect(site.waves()).toEqual(["offered", "waiting", "waiting"]);
    expect(site.look()).toBe(false);
    expect(site.waves()).toEqual(["soaking", "waiting", "waiting"]);
    expect(site.wait(SOAK_S)).toBe(true);
    expect(site.waves()).toEqual(["passed", "offered", "waiting"]);
    for (const _ of [1, 2]) {
      site.look();
      expect(site.wait(SOAK_S)).toBe(true);
    }
    expect(site.rollout()).toMatchObject({ state: "completed" });
    expect(site.site()).toMatchObject({ release: NEW, previous: OLD });
    expect(site.story().at(-1)).toBe("Every gate passed. 12 of 12 racks run new.");
  });

  it("keeps the site's model as the release until the end, so that a rack without an assignment runs it", () => {
    const site = given();
    site.start();
    site.look();
    expect(site.site().release).toEqual(OLD);
    expect(offeredRacks(site.rollout())).toEqual({ canary: site.rollout().waves[0]!.racks, wave: [] });
  });

  it("is halted at the canary by twice the alarms, and its racks go back, without a person", () => {
    const site = given();
    site.shows(evidence(20));
    site.start();
    site.look();
    site.look();
    expect(site.wait(SOAK_S)).toBe(true);
    expect(site.rollout()).toMatchObject({ state: "rolled_back", waves: [{ state: "failed" }, {}, {}] });
    expect(site.site().release).toEqual(OLD);
    expect(offeredRacks(site.rollout())).toEqual({ canary: [], wave: [] });
    expect(site.story().at(-1)).toMatch(
      /^Halted: the gate on alarm rate failed at the canary: .* go back to old\.$/,
    );
    site.look();
    expect(site.story().at(-1)).toBe("Every rack runs old again.");
  });

  it("is stopped before its soak is over where it is plainly bad", () => {
    const site = given();
    site.shows(evidence(40));
    site.start();
    site.look();
    site.look();
    site.wait(SOAK_S / 4);
    expect(site.rollout().state).toBe("rolled_back");
  });

  it("is halted by refusals beyond one rack, with their reason kept", () => {
    const site = given();
    site.start();
    for (const rack_id of site.rollout().waves[0]!.racks) site.refusing.add(rack_id);
    site.look();
    site.look();
    expect(site.rollout()).toMatchObject({ state: "rolled_back" });
    expect(site.story().at(-1)).toMatch(/2 refused.*No rack had taken it/);
    expect(Object.values(site.rollout().answers)[0]!.errors[0]!.code).toBe("SKADI_MODEL_FEATURES");
  });

  it("is halted where agents that are online do not answer in time", () => {
    const site = given();
    site.start();
    for (const rack_id of site.rollout().waves[0]!.racks) site.silent.add(rack_id);
    site.look();
    site.wait(9);
    expect(site.rollout().state).toBe("running");
    site.wait(1);
    expect(site.rollout().state).toBe("rolled_back");
  });

  it("is halted where racks stay offline after the swap, but not for what the whole site suffers", () => {
    const canaryLost = (others: boolean) => {
      const site = given();
      site.start();
      site.look();
      site.look();
      for (const rack_id of others ? RACKS : site.rollout().waves[0]!.racks)
        site.offline.set(rack_id, site.now_ms());
      site.wait(9);
      expect(site.rollout().state).toBe("running");
      site.wait(1);
      return site.rollout().state;
    };
    expect([canaryLost(false), canaryLost(true)]).toEqual(["rolled_back", "running"]);
  });

  it("is halted where agents come and go since they have the model", () => {
    const site = given();
    site.start();
    site.look();
    site.look();
    for (const rack_id of site.rollout().waves[0]!.racks) site.drops.set(rack_id, 3);
    site.look();
    expect(site.rollout().state).toBe("rolled_back");
  });

  it("waits for more scores, and goes back if there are none after four times the soak", () => {
    const site = given();
    site.shows(nothing());
    site.start();
    site.look();
    site.look();
    site.wait(3.9 * SOAK_S);
    expect(site.rollout().state).toBe("running");
    site.wait(0.2 * SOAK_S);
    expect(site.story().at(-1)).toMatch(/too few scores/);
    expect(site.rollout().state).toBe("rolled_back");
  });

  it("does not wait for racks that are offline; they join later, and the story says so", () => {
    const site = given();
    site.offline.set("R-B-02", 0);
    site.start();
    site.look();
    for (const _ of [1, 2, 3]) {
      site.look();
      site.wait(SOAK_S);
    }
    expect(site.rollout().state).toBe("completed");
    expect(site.story().at(-1)).toMatch(/11 of 12 racks run new; 1 offline will join later/);
    site.offline.clear();
    site.look();
    expect(site.story().at(-1)).toBe("R-B-02 came later and run new now.");
  });

  it("waits at the canary while all of it is offline", () => {
    const site = given();
    for (const rack_id of RACKS) site.offline.set(rack_id, 0);
    site.start();
    site.look();
    site.wait(3_600);
    expect(site.waves()).toEqual(["offered", "waiting", "waiting"]);
    site.offline.clear();
    site.wait(1);
    expect(site.waves()).toEqual(["soaking", "waiting", "waiting"]);
  });

  it("soaks anew after a restart, since what had been seen is lost", () => {
    const site = given();
    site.start();
    site.look();
    site.look();
    site.wait(SOAK_S - 1);
    expect(site.see({ kind: "restart" })).toBe(true);
    site.wait(2);
    expect(site.waves()).toEqual(["soaking", "waiting", "waiting"]);
    site.wait(SOAK_S);
    expect(site.waves()).toEqual(["passed", "offered", "waiting"]);
  });

  it("leaves out racks that are pinned meanwhile", () => {
    const site = given();
    site.start();
    site.look();
    const [pinned] = site.rollout().waves[0]!.racks;
    site.see({ kind: "pinned", racks: [pinned!] });
    expect(site.rollout().waves.flatMap(({ racks }) => racks)).not.toContain(pinned);
    expect(site.story().at(-1)).toBe(`${pinned} keeps a model of their own: pinned.`);
  });
});

describe("an operator", () => {
  it("halts a rollout, and the racks that have the model go back", () => {
    const site = given();
    site.start();
    site.look();
    site.look();
    expect(site.see({ kind: "halt", by: "operator", reason: "second thoughts" })).toBe(true);
    expect(site.rollout()).toMatchObject({ state: "rolled_back" });
    expect(site.story().at(-1)).toMatch(/^Halted: by operator, second thoughts\. R-.* go back to old\.$/);
  });

  it("starts another rollout, which supersedes the one before", () => {
    const site = given();
    site.start();
    site.look();
    site.start(THIRD);
    expect(site.site().past[0]).toMatchObject({ state: "superseded", model: NEW });
    expect(site.rollout()).toMatchObject({ state: "running", model: THIRD, base: OLD });
    expect(site.site().release).toEqual(OLD);
  });

  it("brings a model to everybody at once, without gates; a refusal is counted", () => {
    const site = given();
    site.refusing.add("R-C-01");
    expect(site.start(NEW, false)).toBe(true);
    expect(site.site().release).toEqual(NEW);
    site.look();
    expect(site.rollout().state).toBe("completed");
    expect(site.story().at(-1)).toBe("11 of 12 racks run new; 1 refused (R-C-01).");
  });

  it("gets the first model of a site to everybody at once, gated or not", () => {
    const site = given({ release: null });
    site.start(NEW, true);
    expect(site.rollout().gated).toBe(false);
    expect(site.site()).toMatchObject({ release: NEW, previous: null });
  });

  it("gets a model for a site whose racks are all pinned: it is the site's, and nobody is asked", () => {
    const site = given({ racks: [] });
    site.start(NEW, true);
    expect(site.rollout()).toMatchObject({ state: "completed", gated: false });
    expect(site.site().release).toEqual(NEW);
  });

  it("is not heard on a rollout that is over", () => {
    const site = given();
    site.start(NEW, false);
    site.look();
    expect(site.see({ kind: "halt", by: "operator", reason: "late" })).toBe(false);
    expect(site.site().release).toEqual(NEW);
  });
});
