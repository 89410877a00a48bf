import { describe, expect, it } from "vitest";
import { compareDrift } from "../../../../aggregator/drift/compare.ts";
import { countRows, driftLayout } from "../../../../aggregator/drift/count.ts";
import { driftSentences } from "../../../../aggregator/drift/wording.ts";
import type { ModelFile } from "../../../../shared/contracts/model.ts";
import { sealModel } from "../../../../shared/ims/model-file.ts";
import { LIMITS } from "../../../support/models.ts";
import { DAY_MS, HOUR_MS, operation, operationModel, type Warmth } from "../../../support/operation.ts";

const ROWS = { A: ["R-A-01", "R-A-02", "R-A-03"], B: ["R-B-01", "R-B-02", "R-B-03"] };
const RACKS = Object.values(ROWS).flat();
const SETTINGS = { hours_min: 20, moderate_psi: 0.1, major_psi: 0.25, false_alarm: 0.01 };
const NOTHING = { excluded: {}, forgiven: {} };
const model = operationModel(RACKS, 10 * DAY_MS);

type At = (rack_id: string, ts_ms: number) => Warmth;

/** A check after the model's day and a baseline day: what a day (or less) of operation says. */
function check(warmth: At = () => ({}), { hours = 24, of = model }: { hours?: number; of?: ModelFile } = {}) {
  const series = (from_ms: number, length_ms: number, at: At) =>
    RACKS.map((rack_id) =>
      operation(rack_id, { from_ms, to_ms: from_ms + length_ms }, (ts) => at(rack_id, ts)),
    );
  const baseline_series = () => series(10 * DAY_MS, DAY_MS, () => ({}));
  const layout = driftLayout(of, baseline_series);
  const about = { model: of, layout, exclusions: NOTHING, limits: LIMITS };
  const baseline = countRows(baseline_series(), about);
  const window = countRows(series(12 * DAY_MS, hours * HOUR_MS, warmth), about);
  const compared = compareDrift({
    ...{ model: of, layout, rows: ROWS, settings: SETTINGS },
    baseline: baseline.racks,
    window: window.racks,
  });
  const sentences = driftSentences({ ...compared, excluded_share: 0, outside_share: 0 }, SETTINGS.hours_min);
  return { ...compared, sentences };
}

const drifting = (scopes: { level: string; name: string }[]) =>
  scopes.filter(({ level }) => level === "moderate" || level === "major").map(({ name }) => name);

describe("operation that goes on as it was learnt", () => {
  const { site, rows, racks, sentences } = check();

  it("has not drifted, neither the site nor any row or rack, though load follows the day and racks differ", () => {
    expect(site).toMatchObject({ level: "none", against: "model", hours: 24 });
    expect([...drifting(rows), ...drifting(racks)]).toEqual([]);
  });

  it("says so in one sentence, with the largest index", () => {
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(
      /^The site runs as it did in what the model was trained on: 6 racks, 24 hours/,
    );
  });
});

describe("a warmer season", () => {
  const { site, rows, racks, sentences } = check(() => ({ season_k: 1.5 }));
  const found = site.findings.filter(({ level }) => level === "major").map(({ quantity }) => quantity);

  it("is major drift of the site in what a season moves, and in D; not in the load", () => {
    expect(site.level).toBe("major");
    expect(found).toEqual(expect.arrayContaining(["inlet_c", "d_ratio"]));
    expect(found).not.toEqual(expect.arrayContaining(["pdu_kw"]));
  });

  it("shows in every row and rack", () => {
    expect(drifting(rows)).toEqual(["A", "B"]);
    expect(drifting(racks)).toEqual(RACKS);
  });

  it("is told with what was and what is", () => {
    expect(sentences[0]).toMatch(/major drift .*inlet_c is 23\.\d, was 2[12]\.\d \(PSI/);
    expect(sentences.join(" ")).toContain("6 of 6 racks drift from their own baseline");
  });
});

describe("one rack that changes", () => {
  const { site, racks, sentences } = check((rack_id) => (rack_id === "R-B-02" ? { fault_k: 2.5 } : {}));

  it("is named, and no other is", () => {
    expect(drifting(racks)).toEqual(["R-B-02"]);
    expect(sentences.join(" ")).toMatch(/1 of 6 racks drifts from its own baseline: R-B-02/);
  });

  it("is judged by its own habits and not by the site's", () => {
    expect(racks.find(({ name }) => name === "R-B-02")).toMatchObject({
      against: "baseline",
      level: "major",
    });
    expect(site.level).not.toBe("major");
  });
});

describe("too little operation", () => {
  it("is called unknown, however strange it looks", () => {
    const { site, racks, sentences } = check(() => ({ season_k: 5 }), { hours: 3 });
    expect(site).toMatchObject({ level: "unknown", findings: [] });
    expect(racks.every(({ level }) => level === "unknown")).toBe(true);
    expect(sentences[0]).toMatch(/Too little to compare: 3 of the day's hours .* 20 are needed/);
  });

  it("of most of a day is compared with the same hours alone: a night that is missing is no drift", () => {
    const { site, rows, racks } = check(undefined, { hours: 21 });
    expect(site).toMatchObject({ level: "none", against: "baseline", hours: 21 });
    expect([...drifting(rows), ...drifting(racks)]).toEqual([]);
  });
});

describe("a model file from before there were references", () => {
  const { reference: _, sha256: __, ...rest } = model;
  const old = sealModel(rest);

  it("is compared with the baseline, in the baseline's own bins", () => {
    expect(check(undefined, { of: old }).site).toMatchObject({ level: "none", against: "baseline" });
    expect(check(() => ({ season_k: 1.5 }), { of: old }).site.level).toBe("major");
  });
});
