import { readFileSync } from "node:fs";
import { HealthDescription } from "../contracts/health.ts";
import { type Parsed, parsePayload } from "../contracts/parse.ts";
import { reject } from "../errors.ts";
import { writeWholeFile } from "../whole-file.ts";

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

export function writeHealthFile(path: string, health: HealthDescription): void {
  writeWholeFile(path, `${JSON.stringify(health)}\n`);
}
