import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import * as z from "zod";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { parsePayload } from "../../../shared/contracts/parse.ts";
import { Lineage } from "../../../shared/contracts/registry.ts";
import { packageVersion } from "../../../shared/version.ts";
import { writeWholeFile } from "../../../shared/whole-file.ts";

/** The data that a model was learnt from. */
export interface DataFacts {
  /** Of the file as it is; of stored telemetry, of the feature rows as little-endian doubles, row by row. */
  sha256: string;
  /** ISO 8601; null where the rows have no instants. */
  from: string | null;
  to: string | null;
}

/** Where a model comes from that was trained just now, with the parameters that make it again from the same data. */
export function trainedLineage(
  model: ModelFile,
  facts: DataFacts,
  parameters: Record<string, unknown>,
): Lineage {
  return {
    source: "trained",
    data: model.training.data,
    data_sha256: facts.sha256,
    from: facts.from,
    to: facts.to,
    rows: model.training.rows,
    code_version: packageVersion(),
    parameters,
    report: null,
    parent_id: null,
  };
}

/** As much as a model file says of its own making. */
export function lineageOfFile(model: ModelFile, source: "pushed" | "found"): Lineage {
  const { data, rows, clusters, seed } = model.training;
  return {
    source,
    data,
    data_sha256: null,
    from: null,
    to: null,
    rows,
    code_version: null,
    parameters: { kind: model.kind, clusters, seed, threshold: model.threshold ?? null },
    report: null,
    parent_id: null,
  };
}

/** What lies beside a model file, for whoever finds the file and did not see it being made. */
const LineageNote = z.object({ sha256: z.string(), lineage: Lineage });

/** The lineage and the report of `x.json` are in `x.lineage` and `x.html`; neither ends like a model. */
const notePath = (model_path: string) => model_path.replace(/(\.json)?$/, ".lineage");
const reportPath = (model_path: string) => model_path.replace(/(\.json)?$/, ".html");

export function writeLineage(model_path: string, { sha256 }: ModelFile, lineage: Lineage): void {
  const note: z.infer<typeof LineageNote> = { sha256, lineage };
  writeWholeFile(notePath(model_path), `${JSON.stringify(note, null, 1)}\n`);
}

/** What was noted beside a model file; null if there is nothing, or it is another model's. */
export function readLineage(model_path: string, { sha256 }: ModelFile): Lineage | null {
  const path = notePath(model_path);
  if (!existsSync(path)) return null;
  const note = parsePayload(LineageNote, readFileSync(path));
  return note.ok && note.value.sha256 === sha256 ? note.value.lineage : null;
}

/** Deletes a model file and its note; the note last, so that a file that is still there has one. */
export function removeModel(model_path: string): void {
  rmSync(model_path);
  rmSync(notePath(model_path), { force: true });
}

/** Writes a model's training report beside it. */
export function writeReport(model_path: string, page: string): { report: string } {
  const path = reportPath(model_path);
  writeWholeFile(path, page);
  return { report: basename(path) };
}
