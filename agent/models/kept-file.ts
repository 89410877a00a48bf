import { existsSync, readFileSync } from "node:fs";
import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Parsed } from "../../shared/contracts/parse.ts";
import { type Rejection, reject } from "../../shared/errors.ts";

export type OnProblem = (rejections: Rejection[], where: string) => void;

/** What a file holds; null, and a report, if it cannot be read or means nothing. An agent starts whatever its disk is like. */
export function readKept<T>(
  path: string,
  parse: (bytes: Uint8Array) => Parsed<T>,
  onProblem: OnProblem,
): T | null {
  if (!existsSync(path)) return null;
  try {
    const parsed = parse(readFileSync(path));
    if (parsed.ok) return parsed.value;
    onProblem(parsed.rejections, path);
  } catch (error) {
    onProblem([diskProblem("readable", error)], path);
  }
  return null;
}

export function diskProblem(what: "readable" | "writable", error: unknown): Rejection {
  const expected = `a ${what} file (${error instanceof Error ? error.message : String(error)})`;
  return reject("SKADI_DRIVER", { field: "model.cache_dir", expected });
}

/**
 * Writes a file so that a crash or a power cut at any moment leaves the old one or the whole new one. Not synchronous:
 * a slow disk must not hold up the guardrail. One writer per path at a time.
 *
 * @param old_path where the old one goes, so that there are two; in between a crash may leave only that
 */
export async function writeWhole(path: string, content: string, old_path?: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await openNew(temporary);
  try {
    await file.writeFile(content);
    // Otherwise the new name could reach the disk before the content does.
    await file.sync();
  } finally {
    await file.close();
  }
  if (old_path && existsSync(path)) await rename(path, old_path);
  await rename(temporary, path);
}

/** Makes the folder only where there is none: with a thousand simulated racks in one process, that shows. */
async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, "w");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true });
    return open(path, "w");
  }
}
