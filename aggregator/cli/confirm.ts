import { createInterface } from "node:readline/promises";
import { reject, SkadiError } from "../../shared/errors.ts";
import { plain } from "./text.ts";

/**
 * Whether the person at the terminal agrees.
 *
 * @throws SKADI_INVALID_FIELD where there is nobody to ask: then --yes must be given
 */
export async function confirmed(what: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    const rejection = reject("SKADI_INVALID_FIELD", {
      field: "--yes",
      expected: "where nobody can be asked",
    });
    throw new SkadiError(rejection, { next: [`Add --yes to mean it: ${what}`] });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${plain(what)} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return true;
  } finally {
    terminal.close();
  }
  process.stderr.write("Nothing was done.\n");
  process.exitCode = 1;
  return false;
}
