import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sealModel, validateModel } from "../../../shared/ims/model-file.ts";
import { binned, binOf } from "../../../shared/ims/reference.ts";
import { scoreBatch } from "../../../shared/ims/score.ts";
import { trainModel } from "../../../shared/ims/train.ts";
import { nominalRows } from "../../support/models.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });

describe("a binned distribution", () => {
  it("has ascending edges, and a share for every bin that adds up to the whole", () => {
    fc.assert(
      fc.property(values, (list) => {
        const { edges, shares } = binned(Float64Array.from(list));
        expect(shares).toHaveLength(edges.length + 1);
        for (let i = 1; i < edges.length; i++) expect(edges[i]!).toBeGreaterThan(edges[i - 1]!);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it("puts every value into the bin that its share was counted in", () => {
    fc.assert(
      fc.property(values, (list) => {
        const { edges, shares } = binned(Float64Array.from(list));
        const counts = shares.map(() => 0);
        for (const value of list) counts[binOf(edges, value)]!++;
        counts.forEach((count, i) => {
          expect(count / list.length).toBeCloseTo(shares[i]!, 9);
        });
      }),
    );
  });

  it("of values that differ has ten bins of a tenth each", () => {
    const { edges, shares } = binned(Float64Array.from({ length: 1_000 }, (_, i) => i));
    expect(edges).toHaveLength(9);
    for (const share of shares) expect(share).toBeCloseTo(0.1, 2);
  });

  it("of a feature that mostly stands still has fewer bins, not empty ones between equal edges", () => {
    const { edges, shares } = binned(Float64Array.from({ length: 100 }, (_, i) => (i < 80 ? 40 : i)));
    expect(edges[0]).toBe(40);
    expect(shares[0]).toBeCloseTo(0.8, 9);
    expect(edges.length).toBeLessThan(9);
  });
});

describe("a model's reference", () => {
  const rows = nominalRows(3_000, 5);
  const model = trainModel(rows, { clusters: 4, seed: 1, limits: null, data: "test", created_ms: 0 });
  const reference = model.reference!;

  it("gives each feature's deciles over the nominal rows, in physical units, and those of D", () => {
    const inlet = Float64Array.from({ length: 3_000 }, (_, i) => rows[i * 10]!).sort();
    expect(reference.features[0]!.edges[4]).toBeCloseTo((inlet[1_499]! + inlet[1_500]!) / 2, 6);
    const d = scoreBatch(model, rows).d.sort();
    expect(reference.d.edges[4]).toBeCloseTo((d[1_499]! + d[1_500]!) / 2, 6);
  });

  it("travels with the model and is covered by its hash", () => {
    expect(validateModel(JSON.parse(JSON.stringify(model)))).toEqual({ ok: true, value: model });
    const changed = structuredClone(model);
    changed.reference!.d.edges[0]! -= 0.1;
    expect(validateModel(changed)).toMatchObject({ ok: false, rejections: [{ field: "sha256" }] });
  });

  it("is of the size that the model's features ask for, with edges that ascend", () => {
    const short = structuredClone(model);
    short.reference!.features.pop();
    expect(validateModel(short)).toMatchObject({ ok: false, rejections: [{ field: "reference.features" }] });
    const tangled = structuredClone(model);
    tangled.reference!.d.edges.reverse();
    expect(validateModel(tangled)).toMatchObject({ ok: false, rejections: [{ field: "reference.d" }] });
  });

  it("is not needed: files from before it read and score as ever", () => {
    const { reference: _, sha256: __, ...before } = model;
    const old = sealModel(before);
    expect(validateModel(old)).toEqual({ ok: true, value: old });
    expect(scoreBatch(old, rows)).toEqual(scoreBatch(model, rows));
  });
});
