import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DerivedFeature } from "../../../shared/contracts/model.ts";
import { readModelFile, validateModel, writeModelFile } from "../../../shared/ims/model-file.ts";
import { seriesRecipe } from "../../../shared/ims/presets.ts";
import { scoreBatch } from "../../../shared/ims/score.ts";
import { createSeriesScorer } from "../../../shared/ims/series.ts";
import { inputsOf, temporalComputer, withDerived } from "../../../shared/ims/temporal.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { seededRandom } from "../../../shared/random.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const derived = (["mean", "rate", "std"] as const).map(
  (stat): DerivedFeature => ({ name: `flow ${stat}`, of: "flow", stat, window_rows: 4 }),
);
const FEATURES = ["current", ...derived.map(({ name }) => name)];

describe("derived features", () => {
  const push = (flows: number[]) => {
    const computer = temporalComputer(FEATURES, derived);
    const out = new Float64Array(4);
    for (const flow of flows) computer.push([1, flow], out);
    return [...out];
  };

  it("name the columns they need", () => {
    expect(inputsOf(FEATURES, derived)).toEqual(["current", "flow"]);
  });

  it("are mean, change per row and standard deviation of the last rows", () => {
    const [current, mean, rate, std] = push([9, 9, 1, 2, 3, 4]);
    expect([current, mean, rate]).toEqual([1, 2.5, 1]);
    expect(std).toBeCloseTo(Math.sqrt(1.25), 12);
  });

  it("are missing until their window is full, and while half of it is missing", () => {
    expect(push([1, 2, 3])).toEqual([1, Number.NaN, Number.NaN, Number.NaN]);
    expect(push([1, Number.NaN, 3, 2])[1]).toBe(2);
    expect(push([1, Number.NaN, Number.NaN, Number.NaN])[1]).toBeNaN();
  });

  it("are the same in training as one by one in scoring", () => {
    const rows = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 40, maxLength: 80 });
    fc.assert(
      fc.property(rows, (values) => {
        const x = Float64Array.from(values.slice(0, values.length & ~1));
        const batch = withDerived(x, FEATURES, derived);
        const computer = temporalComputer(FEATURES, derived);
        for (let i = 0; 2 * i < x.length; i++) {
          const one = computer.push(x.subarray(2 * i, 2 * i + 2), new Float64Array(4));
          expect(one).toEqual(batch.slice(4 * i, 4 * i + 4));
        }
      }),
    );
  });
});

const COLUMNS = ["flow", "pressure", "temperature"];
const NOISE = [0.5, 0.2, 0.1];
const LEVELS = [32, 2, 80];

/** A rig whose temperature wanders upwards by `drift` per row, and whose flow drops from row `fault_at` on. */
function recording(rows: number, drift: number, fault_at = Number.POSITIVE_INFINITY): Float64Array {
  const random = seededRandom(11);
  return Float64Array.from({ length: rows * 3 }, (_, at) => {
    const [i, j] = [Math.floor(at / 3), at % 3];
    const fault = j === 0 && i >= fault_at ? -1 : 0;
    return LEVELS[j]! + NOISE[j]! * random.normal() + (j === 2 ? drift * i : 0) + fault;
  });
}

function alarms(x: Float64Array, baseline_weight?: number): boolean[] {
  const { baseline_weight: shipped, ...recipe } = seriesRecipe(COLUMNS);
  const model = trainModel(x.subarray(0, 400 * 3), {
    ...recipe,
    baseline_weight: baseline_weight ?? shipped!,
    ...{ seed: 1, limits: null, data: "test", created_ms: 0 },
  });
  const scorer = createSeriesScorer(model);
  const verdicts: boolean[] = [];
  for (let i = 0; i < x.length / 3; i++) {
    const row = x.subarray(3 * i, 3 * i + 3);
    if (i < 400) scorer.prime(row);
    else {
      const { d, tau_persist } = scorer.push(row);
      verdicts.push(d >= tau_persist);
    }
  }
  return verdicts;
}

const share = (flags: boolean[]) => flags.filter(Boolean).length / flags.length;

describe("a series scorer with the recipe for series", () => {
  it("leaves nominal operation alone", () => {
    expect(share(alarms(recording(1_400, 0)))).toBeLessThan(0.01);
  });

  it("sees a drop of two standard deviations within its window and goes on seeing it", () => {
    const flags = alarms(recording(1_400, 0, 900));
    expect(share(flags.slice(0, 500))).toBeLessThan(0.01);
    expect(share(flags.slice(520))).toBeGreaterThan(0.99);
  });

  it("follows a slow drift, which a fixed baseline calls an anomaly", () => {
    const drifting = recording(2_400, 2e-4);
    expect(share(alarms(drifting))).toBeLessThan(0.05);
    expect(share(alarms(drifting, 0))).toBeGreaterThan(share(alarms(drifting)) + 0.3);
  });

  it("looks back only", () => {
    const x = recording(900, 0);
    const cut = alarms(x.slice(0, 700 * 3));
    expect(alarms(x).slice(0, 300)).toEqual(cut);
  });
});

describe("a model of a series", () => {
  const recipe = seriesRecipe(COLUMNS);
  const x = recording(600, 0);
  const model = trainModel(x, { ...recipe, seed: 1, limits: null, data: "test", created_ms: 0 });

  it("round-trips through its file, but is refused where ten telemetry features are computed", () => {
    const path = `${temporaryFolder()}/series.json`;
    writeModelFile(path, model);
    expect(readModelFile(path, null)).toEqual({ ok: true, value: model });
    const live = readModelFile(path);
    expect(!live.ok && live.rejections[0]!.code).toBe("SKADI_MODEL_FEATURES");
    expect(validateModel(model, model.features).ok).toBe(false);
  });

  it("has the golden samples of its own vectors", () => {
    const vectors = withDerived(x, recipe.features, recipe.derived);
    const { d } = scoreBatch(model, vectors);
    expect(d.slice(0, 19).every(Number.isNaN)).toBe(true);
    expect(model.golden[0]!.d).toBe(Math.min(...d.slice(19)));
  });
});
