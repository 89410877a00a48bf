import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWholeFile } from "../shared/whole-file.ts";

/** The MQTT user that may publish on down topics; its password is the API token. */
export const MQTT_USERNAME = "skadi";

export const tokenFile = (data_dir: string) => join(data_dir, "api-token");
export const siteKeyFile = (data_dir: string) => join(data_dir, "keys", "site.pem");
export const databaseFile = (data_dir: string) => join(data_dir, "aggregator.db");
export const modelFolder = (data_dir: string) => join(data_dir, "models");

/** The token of the control routes: read from the data directory, or made there at the first start (mode 0600). */
export function loadOrCreateToken(data_dir: string): string {
  const file = tokenFile(data_dir);
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const token = randomBytes(24).toString("base64url");
  writeWholeFile(file, `${token}\n`, { mode: 0o600 });
  return token;
}

/** Compares in constant time, whatever the lengths. */
export function sameSecret(given: string | Buffer, expected: string): boolean {
  const digest = (value: string | Buffer) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
