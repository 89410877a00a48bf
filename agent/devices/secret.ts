import { readFileSync } from "node:fs";
import type { Secret } from "../../shared/contracts/devices/common.ts";
import { skadiError } from "../../shared/errors.ts";

/**
 * A secret's text: of a file its first line, of a variable its value.
 *
 * @throws SkadiError SKADI_BAD_CONFIG naming the file or variable that is missing or empty
 */
export function revealSecret(secret: Secret): string {
  if (typeof secret === "string") return secret;
  if ("env" in secret) return notEmpty(process.env[secret.env], `variable ${secret.env}`);
  return notEmpty(firstLine(secret.file), `file ${secret.file}`);
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").split(/\r?\n/, 1)[0];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_BAD_CONFIG", { field: "secret", expected: `a readable file (${reason})` });
  }
}

function notEmpty(text: string | undefined, where: string): string {
  if (text) return text;
  throw skadiError("SKADI_BAD_CONFIG", { field: "secret", expected: `a ${where} that is not empty` });
}
