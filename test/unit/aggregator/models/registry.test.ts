import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventBus } from "../../../../aggregator/events.ts";
import { modelLibrary } from "../../../../aggregator/models/library.ts";
import { activationStack } from "../../../../aggregator/models/registry/activations.ts";
import { keepTrained } from "../../../../aggregator/models/registry/keep-trained.ts";
import { lineageOfFile, writeLineage } from "../../../../aggregator/models/registry/lineage.ts";
import { createRegistry } from "../../../../aggregator/models/registry/registry.ts";
import { openSqliteStore } from "../../../../aggregator/store/sqlite/sqlite-store.ts";
import type { StoredEvent } from "../../../../aggregator/store/store.ts";
import type { ModelFile } from "../../../../shared/contracts/model.ts";
import { sealModel, validateModel, writeModelFile } from "../../../../shared/ims/model-file.ts";
import { createLog } from "../../../../shared/log.ts";
import { isoTime, virtualClock } from "../../../../shared/time.ts";
import { smallModel } from "../../../support/models.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

const T0 = Date.UTC(2026, 0, 10);
const model = (n: number) => smallModel({ seed: n, created_ms: Date.UTC(2026, 0, n) });
const [first, second, third] = [model(1), model(2), model(3)];

/** A registry on a real database and a real folder; `restart` makes a new one of what the old one left behind. */
function site() {
  const folder = temporaryFolder();
  const file = join(folder, "store.db");
  const clock = virtualClock(T0);
  const log = createLog("test", "silent");
  // Flushed by nobody but the registry itself.
  const open = () => openSqliteStore(file, { flush_ms: 600_000, log });
  let store = open();
  onTestFinished(() => store.close());
  const told: StoredEvent[] = [];
  const library = modelLibrary(join(folder, "models"));
  const make = () => {
    const events = eventBus(store, clock);
    events.subscribe((event) => told.push(event));
    return createRegistry({ store, library, events, clock, log });
  };
  return {
    registry: make(),
    ...{ folder, library, clock, told, file, store, make },
    /** What the next process finds when this one dies at the n-th of its flushes. */
    diesAtFlush(n: number, what: (registry: ReturnType<typeof make>) => void) {
      const dying = open();
      onTestFinished(() => dying.close());
      let left = n;
      const flush = () => {
        if (--left === 0) throw new Error("died");
        dying.flush();
      };
      const events = eventBus(dying, clock);
      const context = { store: { ...dying, flush }, library, events, clock, log };
      expect(() => what(createRegistry(context))).toThrow("died");
      return make();
    },
    restart() {
      store.close();
      store = open();
      return make();
    },
    register: (registry: ReturnType<typeof make>, ...models: ModelFile[]) => {
      for (const one of models) registry.register(one, lineageOfFile(one, "pushed"), "operator");
    },
  };
}

describe("a registered model", () => {
  it("is a candidate with its lineage, and one that is known already stays as it is", () => {
    const { registry, library } = site();
    const lineage = { ...lineageOfFile(first, "pushed"), data_sha256: "a".repeat(64) };
    const registered = registry.register(first, lineage, "operator");
    expect(registered).toEqual({
      model_id: first.id,
      sha256: first.sha256,
      kind: "kmeans",
      created_at: first.created_at,
      stage: "candidate",
      lineage,
      history: [{ ts: isoTime(T0), stage: "candidate", by: "operator", reason: "pushed: test" }],
    });
    expect(registry.register(first, lineageOfFile(first, "found"), "folder")).toEqual(registered);
    expect(library.models()).toEqual([first]);
    expect(registry.file(first.sha256)).toEqual(first);
  });

  it("that was judged already is retired from the first, with the reason", () => {
    const { registry, restart } = site();
    const lineage = { ...lineageOfFile(first, "found"), source: "retrained" as const };
    const registered = registry.register(first, lineage, "schedule", { reason: "not offered: no better" });
    expect(registered).toMatchObject({
      ...{ stage: "retired", lineage },
      history: [{ ts: isoTime(T0), stage: "retired", by: "schedule", reason: "not offered: no better" }],
    });
    const again = restart();
    expect(again.find(first.id)).toEqual(registered);
    expect(again.file(first.sha256)).toEqual(first);
  });

  it("that was judged already is never a candidate, whatever of it a death leaves behind", () => {
    const { library, diesAtFlush } = site();
    const lineage = { ...lineageOfFile(first, "found"), source: "retrained" as const };
    const loses = (registry: ReturnType<typeof createRegistry>) =>
      registry.register(first, lineage, "schedule", { reason: "not offered: no better" });
    expect(diesAtFlush(1, loses).list()).toEqual([]);
    expect(library.list()).toEqual([]);
    const dies = (registry: ReturnType<typeof createRegistry>) => {
      loses(registry);
      registry.pin("C", first.id, "operator");
    };
    expect(diesAtFlush(2, dies).list()).toMatchObject([{ stage: "retired" }]);
  });

  it("is found by id, by SHA-256 and by the first eight digits of it, but not by seven", () => {
    const { registry, register } = site();
    register(registry, first, second);
    for (const name of [first.id, first.sha256, first.sha256.slice(0, 8)])
      expect(registry.find(name)?.sha256).toBe(first.sha256);
    expect(registry.find(first.sha256.slice(0, 7))).toBeNull();
    expect(registry.find("ims_none")).toBeNull();
  });

  it("that shares its id with another is found by its hash alone; the id is refused, naming both", () => {
    const { registry, register } = site();
    const namesake = smallModel({ seed: 9, created_ms: Date.UTC(2026, 0, 1) });
    expect(namesake.id).toBe(first.id);
    register(registry, first, namesake);
    expect(registry.find(namesake.sha256)?.sha256).toBe(namesake.sha256);
    expect(() => registry.find(first.id)).toThrow(
      expect.objectContaining({
        code: "SKADI_CONFLICT",
        message: expect.stringContaining(namesake.sha256.slice(0, 12)),
      }),
    );
  });

  it("is listed newest first, whatever the order of registration", () => {
    const { registry, register } = site();
    register(registry, second, first, third);
    expect(registry.list().map(({ sha256 }) => sha256)).toEqual([third, second, first].map((m) => m.sha256));
  });

  it("cannot be changed by whoever looks at it", () => {
    const { registry, register } = site();
    register(registry, first);
    registry.list()[0]!.stage = "active";
    registry.find(first.id)!.history.length = 0;
    expect(registry.find(first.id)).toMatchObject({ stage: "candidate", history: [expect.anything()] });
  });

  it("keeps fields that this build does not know, so that its hash stays right", () => {
    const { registry, register } = site();
    const { sha256: _, ...content } = first;
    const newer = sealModel({ ...content, ...{ later: { field: 1 } } });
    const parsed = validateModel(JSON.parse(JSON.stringify(newer)));
    if (!parsed.ok) throw new Error(parsed.rejections[0]?.message);
    register(registry, parsed.value);
    expect(registry.file(newer.sha256)).toMatchObject({ later: { field: 1 } });
    expect(validateModel(registry.file(newer.sha256)).ok).toBe(true);
  });
});

describe("the stages", () => {
  it("know one active model: the one that was retires, with who, when and why", () => {
    const { registry, register, clock } = site();
    register(registry, first, second);
    registry.setStage(first.sha256, "active", "operator", "the first");
    clock.advance(60_000);
    registry.setStage(second.sha256, "canary", "operator", "better");
    clock.advance(60_000);
    registry.setStage(second.sha256, "active", "rollout", "all gates passed");
    expect(registry.active()?.sha256).toBe(second.sha256);
    expect(registry.find(first.sha256)).toMatchObject({ stage: "retired" });
    expect(registry.find(first.sha256)?.history.at(-1)).toEqual({
      ts: isoTime(T0 + 120_000),
      stage: "retired",
      by: "rollout",
      reason: `replaced by ${second.id}: all gates passed`,
    });
    expect(registry.find(second.sha256)?.history.map(({ stage, by }) => [stage, by])).toEqual([
      ["candidate", "operator"],
      ["canary", "operator"],
      ["active", "rollout"],
    ]);
  });

  it("tell every change as an event, and the same stage again as none", () => {
    const { registry, register, told } = site();
    register(registry, first);
    registry.setStage(first.sha256, "active", "operator", "the first");
    registry.setStage(first.sha256, "active", "operator", "again");
    const { model_id, sha256 } = registry.active()!;
    expect(told.map(({ type, data }) => ({ type, data }))).toEqual([
      {
        type: "model_stage",
        data: {
          ...{ model_id, sha256, from: null, stage: "candidate", by: "operator" },
          reason: "pushed: test",
        },
      },
      {
        type: "model_stage",
        data: { model_id, sha256, from: "candidate", stage: "active", by: "operator", reason: "the first" },
      },
    ]);
  });

  it("of a model that is not registered cannot be set", () => {
    const { registry } = site();
    expect(() => registry.setStage(first.sha256, "active", "operator", "?")).toThrow(
      expect.objectContaining({ code: "SKADI_NOT_FOUND" }),
    );
  });

  it("are on the disk before the call returns: a process that is killed then has lost nothing", () => {
    const { registry, register, file } = site();
    register(registry, first);
    registry.setStage(first.sha256, "active", "operator", "the first");
    registry.pin("R-C-07", first.id, "operator");
    const other = new DatabaseSync(file, { readOnly: true });
    onTestFinished(() => other.close());
    const stages = other.prepare("SELECT stage FROM model_stages ORDER BY id").all();
    expect(stages.map(({ stage }) => stage)).toEqual(["candidate", "active"]);
    expect(other.prepare("SELECT scope FROM model_pins").all()).toHaveLength(1);
  });

  it("lineage and pins survive a restart", () => {
    const { registry, register, restart } = site();
    register(registry, first, second);
    registry.setStage(first.sha256, "active", "operator", "the first");
    registry.setStage(second.sha256, "active", "operator", "the second");
    registry.pin("C", first.id, "operator");
    const before = { list: registry.list(), pins: registry.pins(), previous: registry.previous() };
    const again = restart();
    expect({ list: again.list(), pins: again.pins(), previous: again.previous() }).toEqual(before);
  });
});

describe("what a rollback goes to", () => {
  it("is nothing at first, then the model before the active one", () => {
    const { registry, register } = site();
    register(registry, first, second);
    expect(registry.previous()).toBeNull();
    registry.setStage(first.sha256, "active", "operator", "the first");
    expect(registry.previous()).toBeNull();
    registry.setStage(second.sha256, "active", "operator", "the second");
    expect(registry.previous()?.sha256).toBe(first.sha256);
  });

  it("is further back after a rollback, never the model that was got rid of", () => {
    const { registry, register, restart } = site();
    register(registry, first, second, third);
    for (const { sha256 } of [first, second, third]) registry.setStage(sha256, "active", "operator", "next");
    registry.setStage(registry.previous()!.sha256, "active", "operator", "rolled back");
    expect(registry.active()?.sha256).toBe(second.sha256);
    expect(restart().previous()?.sha256).toBe(first.sha256);
  });

  it("whatever the history, going back again and again goes down the stack of activations to its end", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 20 }), (activated) => {
        const history: string[] = [...activated];
        const met: string[] = [];
        for (let stack = activationStack(history); stack.length > 1; stack = activationStack(history)) {
          history.push(stack.at(-2)!);
          expect(activationStack(history)).toEqual(stack.slice(0, -1));
          met.push(stack.at(-2)!);
        }
        expect(activationStack(activated).slice(0, -1).toReversed()).toEqual(met);
        if (activated.length > 0) expect(activationStack(activated).at(-1)).toBe(activated.at(-1));
      }),
    );
  });
});

describe("a database of the time before there was a registry", () => {
  it("hands over what was in force, so that a rollback has somewhere to go", () => {
    const { store, make, library } = site();
    for (const one of [first, second, third]) library.save(one);
    for (const [n, { id, sha256, created_at }] of [first, third, second].entries())
      store.models.putActivated({ id, sha256, created_at, activated_at: isoTime(T0 + n) });
    const registry = make();
    expect([registry.active()?.sha256, registry.previous()?.sha256]).toEqual([second.sha256, third.sha256]);
    expect(registry.list().map(({ stage }) => stage)).toEqual(["retired", "active", "retired"]);
    const again = make();
    expect(again.list()).toEqual(registry.list());
  });
});

describe("a file that appears in the folder", () => {
  it("is registered as found, with what the file says of its making", () => {
    const { registry, library } = site();
    writeModelFile(join(library.folder, "copied.json"), first);
    expect(registry.find(first.id)).toMatchObject({
      stage: "candidate",
      lineage: { source: "found", data: "test", rows: 2_000, data_sha256: null, parameters: { seed: 1 } },
      history: [expect.objectContaining({ by: "folder" })],
    });
    expect(registry.list()).toHaveLength(1);
  });

  it("has the lineage of the note beside it, unless that is another model's or no note at all", () => {
    const { registry, library } = site();
    const noted = { ...lineageOfFile(first, "found"), source: "trained" as const, code_version: "9.9.9" };
    const put = (name: string, file: ModelFile) => {
      writeModelFile(join(library.folder, name), file);
      return join(library.folder, name);
    };
    writeLineage(put("a.json", first), first, noted);
    writeLineage(put("b.json", second), third, noted);
    writeFileSync(put("c.json", third).replace(".json", ".lineage"), "{");
    const source = ({ id }: ModelFile) => registry.find(id)?.lineage.source;
    expect([first, second, third].map(source)).toEqual(["trained", "found", "found"]);
    expect(registry.find(first.id)?.lineage).toEqual(noted);
  });

  it("has its lineage, too, if the aggregator died between writing it and registering it", () => {
    const { library, diesAtFlush } = site();
    const lineage = {
      ...lineageOfFile(first, "found"),
      source: "trained" as const,
      data_sha256: "a".repeat(64),
    };
    const after = diesAtFlush(1, (registry) =>
      keepTrained({ registry, library }, { model: first, lineage, page: "<html>" }, "operator", {
        parent_id: "x",
      }),
    );
    const report = `${first.id}.html`;
    expect(after.find(first.id)?.lineage).toEqual({ ...lineage, report, parent_id: "x" });
    expect(readFileSync(join(library.folder, report), "utf8")).toBe("<html>");
  });

  it("and is not valid is not registered", () => {
    const { registry, library } = site();
    writeModelFile(join(library.folder, "tampered.json"), { ...first, tau_fast: first.tau_fast / 2 });
    writeFileSync(join(library.folder, "broken.json"), "{");
    expect(registry.list()).toEqual([]);
  });

  it("and goes away again leaves its entry, but no model that could be run", () => {
    const { registry, register, library } = site();
    register(registry, first, second);
    rmSync(library.save(first));
    writeModelFile(library.save(second), { ...second, tau_fast: second.tau_fast / 2 });
    expect(registry.list()).toHaveLength(2);
    expect([registry.file(first.sha256), registry.file(second.sha256)]).toEqual([null, null]);
  });
});

describe("a pin", () => {
  it("keeps a rack or a row on a model, and is told; a new one of the same scope replaces it", () => {
    const { registry, register, told } = site();
    register(registry, first, second);
    registry.pin("R-C-07", first.id, "operator");
    registry.pin("C", first.sha256.slice(0, 8), "operator");
    const pin = registry.pin("C", second.id, "operator");
    expect(pin).toEqual({
      ...{ scope: "C", model_id: second.id, sha256: second.sha256, by: "operator", ts: isoTime(T0) },
    });
    expect(registry.pins().map(({ scope, sha256 }) => [scope, sha256])).toEqual([
      ["C", second.sha256],
      ["R-C-07", first.sha256],
    ]);
    const pins = told.filter(({ type }) => type === "model_pin");
    expect(pins.map(({ data }) => [data.scope, data.model_id, data.pinned])).toEqual([
      ["R-C-07", first.id, true],
      ["C", first.id, true],
      ["C", second.id, true],
    ]);
  });

  it("ends when it is taken off, once", () => {
    const { registry, register, told } = site();
    register(registry, first);
    const pin = registry.pin("C", first.id, "operator");
    expect(registry.unpin("C", "operator")).toEqual(pin);
    expect(registry.pins()).toEqual([]);
    expect(told.at(-1)).toMatchObject({ type: "model_pin", data: { scope: "C", pinned: false } });
    expect(() => registry.unpin("C", "operator")).toThrow(
      expect.objectContaining({ code: "SKADI_NOT_FOUND" }),
    );
  });

  it("needs a registered model", () => {
    const { registry } = site();
    expect(() => registry.pin("C", "ims_none", "operator")).toThrow(
      expect.objectContaining({ code: "SKADI_NOT_FOUND" }),
    );
  });
});
