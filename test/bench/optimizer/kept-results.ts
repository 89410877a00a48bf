import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { skadiError } from "../../../shared/errors.ts";
import type { Job, JobResult } from "./worker.ts";

/** What results must have in common to be compared. */
interface Run {
  days: number;
  model_sha256: string;
}

export interface KeptResults {
  find(job: Job): JobResult | undefined;
  keep(result: JobResult): void;
}

/**
 * Finished jobs in a file, one JSON line each after one about the run: hours of work that are interrupted go on there.
 *
 * @param file null: nothing is kept
 * @throws SkadiError SKADI_INVALID_FIELD if the file is of another run
 */
export function keptResults(file: string | null, run: Run): KeptResults {
  if (file === null) return { find: () => undefined, keep() {} };
  if (!existsSync(file)) appendFileSync(file, `${JSON.stringify(run)}\n`);
  // The last line may have been cut off.
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
  writeFileSync(file, whole.map((line) => `${line}\n`).join(""));
  const [first, ...lines] = whole;
  const known = JSON.parse(first ?? "{}") as Partial<Run>;
  for (const field of ["days", "model_sha256"] as const) {
    if (known[field] === run[field]) continue;
    const expected = `${run[field]} as in this run: the file is of another one`;
    throw skadiError("SKADI_INVALID_FIELD", { field: `--resume: ${field}`, value: known[field], expected });
  }
  const results = lines.map((line) => JSON.parse(line) as JobResult);
  return {
    find: ({ policy, seed }) => results.find((one) => one.policy === policy && one.seed === seed),
    keep: (result) => appendFileSync(file, `${JSON.stringify(result)}\n`),
  };
}
