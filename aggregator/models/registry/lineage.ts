import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { parsePayload } from "../../../shared/contracts/parse.ts";
import { Lineage } from "../../../shared/contracts/registry.ts";

/** What lies beside a model file that was written while no aggregator looked on. */
const LineageNote = z.object({ sha256: z.string(), lineage: Lineage });

/** `x.json` has its lineage in `x.lineage`; the ending keeps it from being read as a model. */
export const lineagePath = (model_path: string) => model_path.replace(/\.json$/, ".lineage");

/** Where a model came from that somebody put into the folder: its note says so, or else only the model itself can. */
export function foundLineage(path: string, model: ModelFile): Lineage {
  return readNote(lineagePath(path), model.sha256) ?? lineageOfFile(model, basename(path));
}

function readNote(path: string, sha256: string): Lineage | null {
  if (!existsSync(path)) return null;
  const note = parsePayload(LineageNote, readFileSync(path));
  return note.ok && note.value.sha256 === sha256 ? note.value.lineage : null;
}

/** As much as a model file says of its own making. */
function lineageOfFile({ training, threshold }: ModelFile, file: string): Lineage {
  const { data, rows, clusters, seed } = training;
  return {
    source: "found",
    data,
    data_sha256: null,
    from: null,
    to: null,
    rows,
    code_version: null,
    parameters: { clusters, seed, ...(threshold ? { threshold } : {}), file },
    report: null,
    parent_id: null,
  };
}
