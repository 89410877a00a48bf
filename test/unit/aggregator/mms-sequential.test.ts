import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logRatio, type ScoreModels } from "../../../aggregator/mms/likelihood.ts";
import {
  boundsFor,
  FRESH_TEST,
  type MmsPhase,
  nextTest,
  type SequentialTest,
} from "../../../aggregator/mms/sequential.ts";
import { MMS_PHASES } from "../../../shared/contracts/score.ts";
import { seededRandom } from "../../../shared/random.ts";

const models: ScoreModels = {
  nominal_log_mean: 0.2,
  anomalous_log_mean: 0.6,
  log_std: 0.3,
  effective_share: 1,
};
const bounds = boundsFor({ scores_per_day: 1_000, false_alarms_per_rack_day: 1, miss_rate: 0.05 });

function* scores(log_mean: number, phi: number, seed: number): Generator<number> {
  const random = seededRandom(seed);
  let noise = random.normal();
  for (;;) {
    yield Math.exp(log_mean + models.log_std * noise);
    noise = phi * noise + Math.sqrt(1 - phi * phi) * random.normal();
  }
}

/** How many scores it takes until the phase; Infinity beyond `most`. */
function scoresUntil(
  phase: MmsPhase,
  start: SequentialTest,
  d: Generator<number>,
  about: ScoreModels,
  most: number,
) {
  let test = start;
  for (let n = 1; n <= most; n++) {
    test = nextTest(test, logRatio(about, d.next().value as number), bounds);
    if (test.phase === phase) return n;
  }
  return Number.POSITIVE_INFINITY;
}

describe("the sequential test's stated error rates, on synthetic scores", () => {
  /** How many alarms so many scores raise if the test begins anew after each. */
  const alarmsIn = (count: number, d: Generator<number>, about: ScoreModels) => {
    let alarms = 0;
    let test = FRESH_TEST;
    for (let n = 0; n < count; n++) {
      const after = nextTest(test, logRatio(about, d.next().value as number), bounds);
      if (after.phase === "persistent") alarms++;
      test = after.phase === "persistent" ? FRESH_TEST : after;
    }
    return alarms;
  };
  const SCORES = 300_000;

  it("nominal scores raise at most the stated number of alarms (here one in 1,000)", () => {
    expect(alarmsIn(SCORES, scores(models.nominal_log_mean, 0, 1), models)).toBeLessThanOrEqual(
      SCORES / 1_000,
    );
  });

  it("holds for scores that resemble their predecessors, if the test knows how much; else it would not", () => {
    const phi = 0.6;
    const correlated = { ...models, effective_share: (1 - phi) / (1 + phi) };
    const allowed = (SCORES * correlated.effective_share) / 1_000;
    const d = () => scores(models.nominal_log_mean, phi, 7);
    expect(alarmsIn(SCORES, d(), correlated)).toBeLessThanOrEqual(allowed);
    expect(alarmsIn(SCORES, d(), models)).toBeGreaterThan(allowed);
  });

  it("anomalous scores are all found, within the sum's drift", () => {
    for (let seed = 0; seed < 200; seed++) {
      expect(scoresUntil("persistent", FRESH_TEST, scores(0.6, 0, seed), models, 200)).toBeLessThan(100);
    }
  });

  it("one look at an anomaly that lasts takes it for over with at most the stated probability", () => {
    let taken_for_over = 0;
    const RUNS = 2_000;
    for (let seed = 0; seed < RUNS; seed++) {
      const d = scores(models.anomalous_log_mean, 0, seed);
      // Wald's test ends at either bound; here at the upper one when the sum is beyond any doubt.
      let sum = 0;
      while (sum > -bounds.clear && sum < bounds.alarm) sum += logRatio(models, d.next().value as number);
      if (sum <= -bounds.clear) taken_for_over++;
    }
    expect(taken_for_over / RUNS).toBeLessThanOrEqual(0.05);
  });
});

describe("the phases", () => {
  const NEXT: Record<MmsPhase, MmsPhase[]> = {
    nominal: ["nominal", "transient"],
    transient: ["nominal", "transient", "persistent"],
    persistent: ["persistent", "recovering"],
    recovering: ["persistent", "recovering", "nominal"],
  };

  it("are never skipped, whatever the evidence", () => {
    const ratio = fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.constantFrom(-1e9, 1e9));
    fc.assert(
      fc.property(fc.array(ratio, { maxLength: 200 }), (ratios) => {
        let test = FRESH_TEST;
        for (const r of ratios) {
          const after = nextTest(test, r, bounds);
          expect(NEXT[test.phase]).toContain(after.phase);
          expect(after.up).toBeGreaterThanOrEqual(0);
          expect(after.down).toBeLessThanOrEqual(0);
          test = after;
        }
      }),
    );
  });

  it("all come about, in order, when an anomaly comes and goes", () => {
    const seen: MmsPhase[] = [];
    let test = FRESH_TEST;
    for (const r of [...Array(5).fill(-1), ...Array(20).fill(2), ...Array(20).fill(-2)]) {
      test = nextTest(test, r, bounds);
      if (seen.at(-1) !== test.phase) seen.push(test.phase);
    }
    expect(seen).toEqual([...MMS_PHASES, "nominal"]);
  });

  it("a lone spike decides nothing, however high", () => {
    let test = nextTest(FRESH_TEST, 1e6, bounds);
    expect(test.phase).not.toBe("persistent");
    for (let n = 0; n < 5; n++) test = nextTest(test, -2, bounds);
    expect(test.phase).toBe("nominal");
  });

  it("a recovering rack that deviates again is persistent again", () => {
    let test: SequentialTest = { phase: "recovering", up: 0, down: 0 };
    for (let n = 0; n < 10 && test.phase === "recovering"; n++) test = nextTest(test, 5, bounds);
    expect(test.phase).toBe("persistent");
  });
});
