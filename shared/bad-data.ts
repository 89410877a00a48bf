import { type SkadiError, skadiError } from "./errors.ts";

/**
 * A data file that cannot be used, and where in it.
 *
 * @param where line, column or name in the file; null: the file as a whole
 */
export function badData(path: string, where: string | null, value: unknown, expected: string): SkadiError {
  return skadiError("SKADI_BAD_DATA", {
    field: where === null ? path : `${path}: ${where}`,
    value,
    expected,
  });
}
