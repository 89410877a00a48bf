import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { HealthDescription } from "../contracts/health.ts";
import { type Parsed, parsePayload } from "../contracts/parse.ts";
import { reject } from "../errors.ts";

/** A description takes about 6 kB; anything much larger is something else. */
const HEALTH_MAX_BYTES = 64 * 1024;

/** Reads and validates a sensor-health description; an unreadable file is a rejection too, never an exception. */
export function readHealthFile(path: string): Parsed<HealthDescription> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const expected = `a readable file (${reason})`;
    return { ok: false, rejections: [reject("SKADI_MODEL_SCHEMA", { field: path, expected })] };
  }
  return parsePayload(HealthDescription, bytes, HEALTH_MAX_BYTES);
}

/** Writes a description so that a crash leaves either the old file or the whole new one. */
export function writeHealthFile(path: string, health: HealthDescription): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(health)}\n`);
  renameSync(temporary, path);
}
