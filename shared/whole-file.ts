import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file so that a crash or a power cut at any moment leaves the old one or the whole new one; when this
 * returns, the new one is on the disk. Makes the folder. One writer per path in a process at a time.
 *
 * @param mode of a new file, e.g. 0o600 for what only its owner may read
 */
export function writeWholeFile(path: string, content: string | Buffer, { mode = 0o666 } = {}): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  // Otherwise the new name could reach the disk before the content does.
  writeFileSync(temporary, content, { mode, flush: true });
  renameSync(temporary, path);
  syncFolder(folder);
}

/** The name itself is in the folder. Windows opens no folders. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
