import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Parsed } from "../../shared/contracts/parse.ts";
import { readModelFile, writeModelFile } from "../../shared/ims/model-file.ts";

interface LibraryEntry {
  path: string;
  parsed: Parsed<ModelFile>;
}

/** The model files of one folder; a file is read again only when it changed. */
export interface Library {
  readonly folder: string;
  /** Every .json file, valid or not. */
  list(): LibraryEntry[];
  /** The valid models, newest first. */
  models(): ModelFile[];
  /** Where the model's file is, or is to be: under its id (with part of its hash where another model has that name). */
  pathOf(model: ModelFile): string;
  /** Writes the model, unless it is there already; returns the path. */
  save(model: ModelFile): string;
}

export function modelLibrary(folder: string): Library {
  const cache = new Map<string, { stamp: string; parsed: Parsed<ModelFile> }>();
  const read = (path: string): LibraryEntry[] => {
    // Someone may have deleted it since the folder was read.
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return [];
    const stamp = `${found.mtimeMs}/${found.size}`;
    const cached = cache.get(path);
    if (cached?.stamp === stamp) return [{ path, parsed: cached.parsed }];
    const parsed = readModelFile(path);
    cache.set(path, { stamp, parsed });
    return [{ path, parsed }];
  };
  const list = () => {
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names.sort().flatMap((name) => read(join(folder, name)));
  };
  const models = () =>
    list()
      .flatMap(({ parsed }) => (parsed.ok ? [parsed.value] : []))
      .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const knownPath = (model: ModelFile) =>
    list().find(({ parsed }) => parsed.ok && parsed.value.sha256 === model.sha256)?.path;
  const newPath = (model: ModelFile) => {
    const plain = join(folder, `${model.id}.json`);
    return existsSync(plain) ? join(folder, `${model.id}-${model.sha256.slice(0, 8)}.json`) : plain;
  };
  return {
    folder,
    list,
    models,
    pathOf: (model) => knownPath(model) ?? newPath(model),
    save(model) {
      const known = knownPath(model);
      if (known) return known;
      const path = newPath(model);
      writeModelFile(path, model);
      return path;
    },
  };
}

/** The last explicit choice (push, promote, rollback) of a model. */
export interface ModelChoice {
  sha256: string;
  chosen_ms: number;
}

/**
 * The model to run: the newest one, where a choice counts as new at the time it was made. So a rollback outlives a
 * restart, and a model trained after it takes over.
 */
export function modelToRun(models: readonly ModelFile[], choice: ModelChoice | null): ModelFile | null {
  const newness = (model: ModelFile) => {
    const created_ms = Date.parse(model.created_at);
    return choice?.sha256 === model.sha256 ? Math.max(created_ms, choice.chosen_ms) : created_ms;
  };
  return models.reduce<ModelFile | null>(
    (best, model) => (best && newness(best) >= newness(model) ? best : model),
    null,
  );
}
