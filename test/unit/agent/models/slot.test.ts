import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelFile } from "../../../../shared/contracts/model.ts";
import { sealModel, writeModelFile } from "../../../../shared/ims/model-file.ts";
import { createScorer } from "../../../../shared/ims/score.ts";
import { eventually } from "../../../support/eventually.ts";
import { nominalRows, smallModel } from "../../../support/models.ts";
import { keyPair, keyRingOf, manifestOf, partsOf, releaseOf } from "../../../support/signed-manifests.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { key, openSlot, RACK } from "./slot-rig.ts";

const first = smallModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1) });
const second = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });
const third = smallModel({ seed: 3, created_ms: Date.UTC(2026, 0, 3) });

/** The model with changes, sealed again and, unless `golden` says otherwise, true to its own golden samples. */
function altered(model: ModelFile, changes: Partial<ModelFile>, golden = true): ModelFile {
  const { sha256: _, ...unsealed } = { ...model, ...changes };
  if (!golden) return sealModel(unsealed);
  const scorer = createScorer({ ...unsealed, sha256: "" });
  const samples = model.golden.map(({ x }) => {
    const { d, cluster } = scorer.score(Float64Array.from(x));
    return { x, d, cluster };
  });
  return sealModel({ ...unsealed, golden: samples });
}

/** Sound, and too large to be checked at once. */
function largeModel(): ModelFile {
  const centers = Array.from({ length: 1_500 }, (_, c) => second.centers[c % 4]!.map((x) => x + c / 1e4));
  return altered(second, { id: "large", centers });
}

/** Sound in itself, but its thresholds are so low that nominal operation is all alarm. */
const nervous = altered(second, { id: "nervous", tau_fast: 0.01, tau_persist: 0.02 });
/** Changed after it was sealed. */
const broken: ModelFile = { ...second, tau_fast: 0.5 };
const lenient = altered(first, { id: "lenient", tau_fast: 50, tau_persist: 60 });

describe("a manifest", () => {
  it("brings the model that it carries, and is answered with its counter", async () => {
    const { slot, offer } = openSlot();
    expect(slot).toMatchObject({ scorer: null, manifest: null });
    expect(await offer(manifestOf(first, 1, key))).toMatchObject({
      model_id: first.id,
      counter: 1,
      rejections: [],
    });
    expect(await offer(manifestOf(second, 2, key))).toMatchObject({ model_id: second.id, counter: 2 });
    expect(slot.scorer?.model.id).toBe(second.id);
    expect(slot.manifest).toEqual({ counter: 2, stale: false });
  });

  it("that assigns this rack another model brings that one", async () => {
    const { slot, offer } = openSlot();
    const assignments = [{ release: releaseOf(second), reason: "canary" as const, racks: [RACK] }];
    await offer(manifestOf(first, 1, key, { assignments, models: [first, second] }));
    expect(slot.scorer?.model.id).toBe(second.id);
  });

  it("is answered once, however often it is delivered", async () => {
    const { slot, offer, answers, swaps } = openSlot();
    const payload = manifestOf(first, 1, key);
    await offer(payload);
    slot.offer(payload);
    await offer(manifestOf(first, 2, key));
    expect(answers.map(({ counter, rejections }) => [counter, rejections.length])).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(swaps, "a manifest that was only renewed swaps nothing").toEqual([first.id]);
  });

  it("is checked by hashes alone where the agent has no key", async () => {
    const { offer } = openSlot({ pinned: null });
    expect((await offer(manifestOf(first, 1, keyPair()))).rejections).toEqual([]);
  });
});

const { sha256: _, ...unsealed } = second;
const beyond = sealModel({ ...unsealed, id: "beyond" });
const bytes = (text: string) => ({ ...releaseOf(second, 2), bytes: Buffer.byteLength(text) });
const asText = JSON.stringify(second);
const with_nan = asText.replace(/"tau_fast":[^,]+/, '"tau_fast":NaN');
const with_infinity = asText.replace(/"tau_fast":[^,]+/, '"tau_fast":1e999');

/** What is offered, in a manifest that is otherwise in order; `parts` come when they are asked for. */
interface Hostile {
  what: string;
  code: string;
  manifest: Buffer;
  parts?: Buffer[];
}
const halves = (text: string) => [Buffer.from(text.slice(0, 2_000)), Buffer.from(text.slice(2_000))];
const inline = (what: string, code: string, model: ModelFile): Hostile => ({
  what,
  code,
  manifest: manifestOf(model, 2, key),
});
const inParts = (what: string, code: string, parts: Buffer[], release = releaseOf(second, 2)): Hostile => ({
  what,
  code,
  manifest: manifestOf(second, 2, key, { release, models: [] }),
  parts,
});
const features = [...second.features].reverse();
const HOSTILE: Hostile[] = [
  { what: "of a stranger", code: "SKADI_UNKNOWN_KEY", manifest: manifestOf(second, 2, keyPair()) },
  {
    what: "with a wrong signature",
    code: "SKADI_BAD_SIGNATURE",
    manifest: manifestOf(second, 2, { ...keyPair(), id: key.id }),
  },
  {
    what: "of an expired manifest",
    code: "SKADI_MANIFEST_EXPIRED",
    manifest: manifestOf(second, 2, key, { expires_at: "2026-01-01T00:00:00Z" }),
  },
  { what: "of an older manifest", code: "SKADI_STALE_MESSAGE", manifest: manifestOf(second, 1, key) },
  {
    what: "of a manifest that is cut short",
    code: "SKADI_MALFORMED_JSON",
    manifest: manifestOf(second, 2, key).subarray(0, 2_000),
  },
  inParts("of which a part is missing", "SKADI_MODEL_INCOMPLETE", partsOf(second, 2).slice(0, 1)),
  inParts("of which a part is cut short", "SKADI_MODEL_INCOMPLETE", [
    partsOf(second, 2)[0]!,
    partsOf(second, 2)[1]!.subarray(0, 100),
  ]),
  {
    what: "that is not inside its manifest",
    code: "SKADI_MODEL_INCOMPLETE",
    manifest: manifestOf(second, 2, key, { models: [] }),
  },
  {
    what: "other than the one that the manifest names, inside",
    code: "SKADI_MODEL_MISMATCH",
    manifest: manifestOf(second, 2, key, { models: [third] }),
  },
  inParts(
    "other than the one that the manifest names, in parts",
    "SKADI_MODEL_MISMATCH",
    partsOf(beyond, 2),
    { ...releaseOf(beyond, 2), sha256: second.sha256 },
  ),
  {
    what: "with another's name",
    code: "SKADI_MODEL_MISMATCH",
    manifest: manifestOf(second, 2, key, { release: { ...releaseOf(second), model_id: third.id } }),
  },
  inline("that was changed after it was sealed", "SKADI_MODEL_HASH", broken),
  inline("for other features", "SKADI_MODEL_FEATURES", altered(second, { features }, false)),
  inline("without centres", "SKADI_MODEL_SCHEMA", altered(second, { centers: [] }, false)),
  inParts("with NaN", "SKADI_NOT_FINITE", halves(with_nan), bytes(with_nan)),
  inParts(
    "with a number beyond all numbers",
    "SKADI_NOT_FINITE",
    halves(with_infinity),
    bytes(with_infinity),
  ),
  inline(
    "with its thresholds swapped",
    "SKADI_MODEL_THRESHOLDS",
    altered(second, { tau_fast: second.tau_persist, tau_persist: second.tau_fast }),
  ),
  inline(
    "that does not reproduce its golden samples",
    "SKADI_MODEL_GOLDEN",
    altered(second, { scaler: { ...second.scaler, mean: second.scaler.mean.map((m) => m + 1) } }, false),
  ),
  inParts("of 100 MB", "SKADI_PAYLOAD_TOO_LARGE", [], { ...releaseOf(second, 256), bytes: 100_000_000 }),
  {
    what: "of 100 MB inside its manifest",
    code: "SKADI_PAYLOAD_TOO_LARGE",
    manifest: Buffer.alloc(100_000_000, " "),
  },
  inline("that would alarm all the time here", "SKADI_MODEL_SHADOW", nervous),
];

describe("a bad model", () => {
  it.each(HOSTILE)(
    "$what is refused with $code, and the old one stays",
    async ({ code, manifest, parts }) => {
      const { slot, offer, observeNominal, listeners, clock, files, reopen } = openSlot();
      await offer(manifestOf(first, 1, key));
      observeNominal();
      const answer = offer(manifest);
      for (const [n, part] of (parts ?? []).entries()) listeners.get(second.sha256)?.(n, part);
      if (code === "SKADI_MODEL_INCOMPLETE") clock.advance(30_000);
      expect((await answer).rejections[0]).toMatchObject({ code, message: expect.any(String) });
      expect(slot.scorer?.model.id).toBe(first.id);
      expect(slot.scorer?.score(nominalRows(1, 5)).d).toBeGreaterThan(0);
      expect(listeners.size, "nothing is listened to any more").toBe(0);
      await slot.stop();
      expect(JSON.parse(readFileSync(files.model, "utf8")).model.id).toBe(first.id);
      expect(reopen().slot.scorer?.model.id).toBe(first.id);
    },
  );

  it("does not keep the next good one away, nor let an older one come back", async () => {
    const { slot, offer } = openSlot();
    await offer(manifestOf(first, 1, key));
    await offer(manifestOf(broken, 5, key));
    expect(slot.manifest?.counter).toBe(5);
    expect((await offer(manifestOf(second, 4, key))).rejections[0]?.code).toBe("SKADI_STALE_MESSAGE");
    expect((await offer(manifestOf(second, 6, key))).rejections).toEqual([]);
    expect(slot.scorer?.model.id).toBe(second.id);
  });
});

describe("a model in parts", () => {
  const issued_at = "2026-01-01T00:00:00Z";
  const expires_at = new Date(Date.now() + 86_400_000).toISOString();
  const manifest = (counter: number) =>
    manifestOf(second, counter, key, { release: releaseOf(second, 3), models: [], issued_at, expires_at });
  const parts = partsOf(second, 3);

  it("is taken when it is whole, even long after it was announced", async () => {
    const { slot, offer, listeners, clock, answers } = openSlot();
    expect((await withClock(offer(manifest(1)), () => clock.advance(30_000))).rejections[0]?.code).toBe(
      "SKADI_MODEL_INCOMPLETE",
    );
    clock.advance(3_600_000);
    while (listeners.size === 0) clock.advance(10_000);
    for (const n of [2, 0, 1]) listeners.get(second.sha256)?.(n, parts[n]!);
    await eventually("the model", () => slot.scorer?.model.id === second.id);
    await eventually("the second answer", () => answers.length === 2);
    expect(answers[1]).toMatchObject({ counter: 1, rejections: [] });
    expect(listeners.size).toBe(0);
  });

  it("goes on being collected when its manifest is renewed meanwhile, and answers the newer one", async () => {
    const { slot, listeners, answers } = openSlot();
    slot.offer(manifest(1));
    listeners.get(second.sha256)?.(0, parts[0]!);
    slot.offer(manifest(2));
    for (const n of [1, 2]) listeners.get(second.sha256)?.(n, parts[n]!);
    await eventually("an answer", () => answers.length > 0);
    expect(answers).toMatchObject([{ counter: 2, rejections: [] }]);
  });

  it("is taken from the manifest instead when a newer one carries it", async () => {
    const { slot, offer, listeners } = openSlot();
    slot.offer(manifest(1));
    expect((await offer(manifestOf(second, 2, key))).rejections).toEqual([]);
    expect(listeners.size).toBe(0);
    expect(slot.scorer?.model.id).toBe(second.id);
  });

  it("is not fetched again when its manifest is delivered again", async () => {
    const { slot, listeners, answers, swaps } = openSlot();
    slot.offer(manifest(1));
    for (const n of [0, 1, 2]) listeners.get(second.sha256)?.(n, parts[n]!);
    slot.offer(manifest(1));
    await eventually("an answer", () => answers.length > 0);
    slot.offer(manifest(1));
    expect(listeners.size).toBe(0);
    expect(swaps).toEqual([second.id]);
  });

  it("is given up when another model is to be run", async () => {
    const { slot, offer, listeners } = openSlot();
    slot.offer(manifest(1));
    expect((await offer(manifestOf(third, 2, key))).rejections).toEqual([]);
    expect(listeners.size).toBe(0);
    expect(slot.scorer?.model.id).toBe(third.id);
  });

  it("that is large is checked apart from the loops, and swapped right behind a tick", async () => {
    const large = largeModel();
    expect(JSON.stringify(large).length).toBeGreaterThan(64 * 1024);
    const { slot, offer, listeners, swaps } = openSlot();
    await offer(manifestOf(first, 1, key));
    slot.offer(manifestOf(large, 2, key, { release: releaseOf(large, 2), models: [] }));
    for (const [n, part] of partsOf(large, 2).entries()) listeners.get(large.sha256)?.(n, part);
    await sleep(300);
    expect(swaps).toEqual([first.id]);
    await eventually("the swap", () => {
      slot.ticked();
      return slot.scorer?.model.id === large.id;
    });
  });

  it("that is large and bad is refused apart from the loops too", async () => {
    const large = { ...largeModel(), tau_fast: 0.1 };
    const { slot, listeners, answers } = openSlot();
    slot.offer(manifestOf(large, 2, key, { release: releaseOf(large, 2), models: [] }));
    for (const [n, part] of partsOf(large, 2).entries()) listeners.get(large.sha256)?.(n, part);
    await eventually("an answer", () => answers.length > 0);
    expect(answers[0]?.rejections[0]?.code).toBe("SKADI_MODEL_HASH");
  });
});

describe("the rack's own last hour", () => {
  it("is in the answer, as the present and the offered model see it", async () => {
    const { offer, observeNominal } = openSlot();
    await offer(manifestOf(first, 1, key));
    observeNominal();
    const { shadow } = await offer(manifestOf(second, 2, key));
    expect(shadow).toMatchObject({ samples: 720 });
    expect(shadow?.alarm_share_before).toBeLessThan(0.1);
    expect(shadow?.alarm_share_after).toBeLessThan(0.1);
    expect(shadow?.mean_ratio_after).toBeCloseTo(shadow?.mean_ratio_before ?? 0, 1);
  });

  it("does not speak against a model before it is long enough", async () => {
    const { offer, observe } = openSlot();
    await offer(manifestOf(first, 1, key));
    observe(nominalRows(119, 99));
    expect((await offer(manifestOf(nervous, 2, key))).rejections).toEqual([]);
  });

  it("does not speak against one that alarms where the present one does too", async () => {
    const { offer, observeNominal } = openSlot();
    const jumpy = altered(first, { id: "jumpy", tau_fast: 0.01, tau_persist: 0.02 });
    await offer(manifestOf(jumpy, 1, key));
    observeNominal();
    expect((await offer(manifestOf(nervous, 2, key))).rejections).toEqual([]);
  });

  it("never bars the way back to the model before", async () => {
    const { slot, offer, observeNominal } = openSlot();
    await offer(manifestOf(nervous, 1, key));
    await offer(manifestOf(lenient, 2, key));
    observeNominal();
    const { rejections, shadow } = await offer(manifestOf(nervous, 3, key));
    expect(shadow).toMatchObject({ alarm_share_before: 0, alarm_share_after: 1 });
    expect(rejections).toEqual([]);
    expect(slot.scorer?.model.id).toBe(nervous.id);
  });
});

describe("a rack without some of the sensors", () => {
  const without = (count: number) => {
    const rows = nominalRows(20, 99);
    for (let i = 0; i < rows.length; i++) if (i % 10 < count) rows[i] = Number.NaN;
    return rows;
  };

  it("takes a model that can do without them", async () => {
    const { offer, observe } = openSlot();
    await offer(manifestOf(first, 1, key));
    observe(without(7));
    expect((await offer(manifestOf(second, 2, key))).rejections).toEqual([]);
  });

  it("refuses one that would be left with too little, and names what is missing", async () => {
    const { offer, observe } = openSlot();
    await offer(manifestOf(first, 1, key));
    observe(without(8));
    const [rejection] = (await offer(manifestOf(second, 2, key))).rejections;
    expect(rejection).toMatchObject({
      code: "SKADI_MODEL_UNAVAILABLE",
      expected: expect.stringContaining("not inlet_c, outlet_c, delta_t, pdu_kw, gpu_power_kw, tokens_ps"),
    });
  });

  it("can be configured to insist on every one", async () => {
    const { offer, observe } = openSlot({ model: { missing_features_max: 0 } });
    await offer(manifestOf(first, 1, key));
    observe(without(1));
    const [rejection] = (await offer(manifestOf(second, 2, key))).rejections;
    expect(rejection).toMatchObject({ code: "SKADI_MODEL_UNAVAILABLE", value: "1 of 10 missing" });
  });

  it("takes what there is while it has no model at all", async () => {
    const { offer, observe } = openSlot();
    observe(without(8));
    expect((await offer(manifestOf(first, 1, key))).rejections).toEqual([]);
  });
});

describe("a restart without network", () => {
  it("finds the model and the counter of before", async () => {
    const { slot, offer, reopen } = openSlot();
    await offer(manifestOf(first, 7, key));
    await slot.stop();
    const again = reopen();
    expect(again.slot.scorer?.model.id).toBe(first.id);
    expect(again.slot.manifest).toEqual({ counter: 7, stale: false });
    expect((await again.offer(manifestOf(second, 6, key))).rejections[0]?.code).toBe("SKADI_STALE_MESSAGE");
  });

  it("after the manifest has expired goes on with the model, and says so", async () => {
    const { slot, offer, reopen } = openSlot();
    const expiring = manifestOf(first, 1, key);
    await offer(expiring);
    await slot.stop();
    const again = reopen({ now_ms: Date.now() + 30 * 86_400_000 });
    expect(again.slot.scorer?.model.id).toBe(first.id);
    expect(again.slot.manifest).toEqual({ counter: 1, stale: true });
    expect(again.problems).toEqual(["SKADI_MANIFEST_EXPIRED"]);
    expect((await again.offer(expiring)).rejections, "the broker repeats what it has").toEqual([]);
  });

  it("remembers the counter of a manifest whose model was refused", async () => {
    const { slot, offer, reopen } = openSlot();
    await offer(manifestOf(first, 1, key));
    await offer(manifestOf(broken, 9, key));
    await slot.stop();
    expect((await reopen().offer(manifestOf(third, 8, key))).rejections[0]?.code).toBe("SKADI_STALE_MESSAGE");
  });

  it("follows the manifest to its end that the last run had only accepted", async () => {
    const { slot, reopen } = openSlot();
    const manifest = manifestOf(second, 3, key, { release: releaseOf(second, 2), models: [] });
    slot.offer(manifest);
    await slot.stop();
    const again = reopen();
    again.slot.offer(manifest);
    for (const [n, part] of partsOf(second, 2).entries()) again.listeners.get(second.sha256)?.(n, part);
    await eventually("the model", () => again.slot.scorer?.model.id === second.id);
  });

  it("starts from the configured file where nothing was ever received", () => {
    const file = join(temporaryFolder(), "model.json");
    writeModelFile(file, third);
    expect(openSlot({ model: { file } }).slot.scorer?.model.id).toBe(third.id);
  });

  it("starts from what an earlier version of the agent kept", () => {
    const { files, reopen } = openSlot();
    writeFileSync(files.single, JSON.stringify({ v: 1, kind: "ims", counter: 4, model: second }));
    expect(reopen().slot.scorer?.model.id).toBe(second.id);
  });
});

describe("a running agent that hears no newer manifest", () => {
  it("says when its own has expired, and when a newer one came", async () => {
    const { slot, offer, clock, state, problems } = openSlot();
    await offer(manifestOf(first, 1, key));
    const { news } = state;
    clock.advance(25 * 3_600_000);
    expect(slot.manifest).toEqual({ counter: 1, stale: true });
    expect(state.news).toBe(news + 1);
    expect(problems).toEqual(["SKADI_MANIFEST_EXPIRED"]);
    expect(slot.scorer?.model.id).toBe(first.id);
    const expires_at = new Date(clock.now() + 86_400_000).toISOString();
    await offer(manifestOf(first, 2, key, { expires_at }));
    expect(slot.manifest).toEqual({ counter: 2, stale: false });
  });
});

describe("the only model that there ever was", () => {
  it("is kept twice, so that its damage does not leave the rack without any", async () => {
    const { slot, offer, files, reopen } = openSlot();
    await offer(manifestOf(first, 1, key));
    await slot.stop();
    writeFileSync(files.model, "{");
    expect(reopen().slot.scorer?.model.id).toBe(first.id);
  });
});

describe("the model before", () => {
  it("takes over where the file of the present one is damaged, and makes it whole", async () => {
    const { slot, offer, files, reopen } = openSlot();
    await offer(manifestOf(first, 1, key));
    await offer(manifestOf(second, 2, key));
    await slot.stop();
    writeFileSync(files.model, readFileSync(files.model, "utf8").slice(0, -100));
    const again = reopen();
    expect(again.slot.scorer?.model.id).toBe(first.id);
    expect(again.problems).toEqual(["SKADI_MALFORMED_JSON"]);
    expect((await again.offer(manifestOf(third, 3, key))).rejections).toEqual([]);
    await again.slot.stop();
    expect(JSON.parse(readFileSync(files.previous, "utf8")).model.id).toBe(first.id);
    expect(reopen().slot.scorer?.model.id).toBe(third.id);
  });

  it("takes over where a crash came between the two", async () => {
    const { slot, offer, files, reopen } = openSlot();
    await offer(manifestOf(first, 1, key));
    await slot.stop();
    renameSync(files.model, files.previous);
    writeFileSync(`${files.model}.tmp`, "{");
    const again = reopen();
    expect(again.slot.scorer?.model.id).toBe(first.id);
    expect(again.problems).toEqual([]);
    await again.offer(manifestOf(second, 2, key));
    await again.slot.stop();
    expect(reopen().slot.scorer?.model.id).toBe(second.id);
  });

  it("is there for a way back without its payload", async () => {
    const { slot, offer } = openSlot();
    await offer(manifestOf(first, 1, key));
    await offer(manifestOf(second, 2, key));
    const back = manifestOf(first, 3, key, { release: releaseOf(first, 4), models: [] });
    expect((await offer(back)).rejections).toEqual([]);
    expect(slot.scorer?.model.id).toBe(first.id);
  });

  it("comes by the network where its file is damaged", async () => {
    const { slot, offer, files, problems } = openSlot();
    await offer(manifestOf(first, 1, key));
    await offer(manifestOf(second, 2, key));
    const kept = JSON.parse(readFileSync(files.previous, "utf8"));
    writeFileSync(files.previous, JSON.stringify({ ...kept, model: { ...kept.model, tau_fast: 0.1 } }));
    expect((await offer(manifestOf(first, 3, key))).rejections).toEqual([]);
    expect(slot.scorer?.model.tau_fast).toBe(first.tau_fast);
    expect(problems).toEqual(["SKADI_MODEL_HASH"]);
  });
});

describe("a cache that cannot be written", () => {
  it("is reported, and the model is used all the same", async () => {
    const blocked = join(temporaryFolder(), "file");
    writeFileSync(blocked, "no folder");
    const { slot, offer, problems } = openSlot({ cache_dir: blocked });
    expect((await offer(manifestOf(first, 1, key))).rejections).toEqual([]);
    expect(slot.scorer?.model.id).toBe(first.id);
    expect(problems).toEqual(["SKADI_DRIVER", "SKADI_DRIVER"]);
  });

  it("nor read does not keep the agent from starting", async () => {
    const { files, reopen } = openSlot();
    for (const file of Object.values(files)) mkdirSync(file);
    const { slot, offer, problems } = reopen();
    expect(problems).toEqual(Object.values(files).map(() => "SKADI_DRIVER"));
    expect((await offer(manifestOf(first, 1, key))).rejections).toEqual([]);
    expect(slot.scorer?.model.id).toBe(first.id);
  });

  it("is written again as soon as it can be", async () => {
    const { slot, offer, files, reopen } = openSlot();
    await offer(manifestOf(first, 1, key));
    rmSync(files.model);
    await offer(manifestOf(second, 2, key));
    await slot.stop();
    expect(reopen().slot.scorer?.model.id).toBe(second.id);
  });
});

describe("a new key", () => {
  const next = keyPair();
  const ring = keyRingOf([key, next], 1, key);

  it("is trusted for manifests once the old one announced it, after a restart too", async () => {
    const { slot, offer, state, reopen } = openSlot();
    slot.offerKeys(ring);
    expect(state.keys).toEqual([key.id, next.id]);
    expect((await offer(manifestOf(first, 1, next))).rejections).toEqual([]);
    await slot.stop();
    expect((await reopen().offer(manifestOf(second, 2, next))).rejections).toEqual([]);
  });

  it("may be announced after the first manifest that it signed", async () => {
    const { slot, offer, answers } = openSlot();
    expect((await offer(manifestOf(first, 1, next))).rejections[0]?.code).toBe("SKADI_UNKNOWN_KEY");
    slot.offerKeys(ring);
    await eventually("the model", () => slot.scorer?.model.id === first.id);
    await eventually("an answer", () => answers.length === 2);
    expect(answers[1]).toMatchObject({ counter: 1, rejections: [] });
  });

  it("of a stranger changes nothing", async () => {
    const { slot, offer, problems } = openSlot();
    const stranger = keyPair();
    slot.offerKeys(keyRingOf([stranger], 1, stranger));
    expect(problems).toEqual(["SKADI_UNKNOWN_KEY"]);
    expect((await offer(manifestOf(first, 1, stranger))).rejections[0]?.code).toBe("SKADI_UNKNOWN_KEY");
  });
});

describe("whatever comes, in whatever order", () => {
  /** A good manifest, a hostile one of the table, a restart, or one after the model's file was damaged. */
  const step = fc.oneof(
    fc.constantFrom<"good" | "restart" | "damage">("good", "restart", "damage"),
    fc.nat(HOSTILE.length - 1),
  );

  it("a rack that once had a model is scored, and never by one that it refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        let rig = openSlot();
        await rig.offer(manifestOf(first, 1, key));
        rig.observeNominal();
        const good = [first.id];
        let counter = 1;
        for (const what of steps) {
          if (what === "good") {
            const model = [first, second, third][counter % 3]!;
            await rig.offer(manifestOf(model, ++counter, key));
            good.push(model.id);
          } else if (typeof what === "number") {
            rig.slot.offer(HOSTILE[what]!.manifest);
            // Not every one is answered: the same one may come twice, or be waited for.
            await sleep(3);
            counter = Math.max(counter, rig.slot.manifest?.counter ?? 0);
          } else {
            await rig.slot.stop();
            if (what === "damage") writeFileSync(rig.files.model, "{");
            rig = rig.reopen();
            rig.observeNominal();
          }
          expect(good).toContain(rig.slot.scorer?.model.id);
          expect(rig.slot.manifest?.counter).toBeGreaterThanOrEqual(counter);
        }
        await rig.slot.stop();
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});

async function withClock<T>(answer: Promise<T>, advance: () => void): Promise<T> {
  advance();
  return answer;
}
