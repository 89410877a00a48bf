import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is gone after the test. */
export const temporaryFolder = (): string => folderIn(tmpdir());

/** In memory where there is such a file system: thousands of writes on a real disk wait for as many fsyncs. */
export const quickFolder = (): string => folderIn(existsSync("/dev/shm") ? "/dev/shm" : tmpdir());

function folderIn(place: string): string {
  const folder = mkdtempSync(join(place, "skadi-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
