import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { skadiError } from "../../shared/errors.ts";
import type { SamplePlace, SampleStore, ScoredSample } from "../store/store.ts";
import { CSV_HEADER, csvLine } from "./csv.ts";
import { toRow } from "./row.ts";

export const FORMATS = ["csv", "parquet"] as const;
export type Format = (typeof FORMATS)[number];

export interface ExportRequest {
  /** [from_ms, to_ms) */
  from_ms: number;
  to_ms: number;
}

type Pages = SampleStore["page"];

const PAGE = 2_000;

/** The stored samples of a time range, a page at a time: memory does not grow with the range. */
async function* samplesOf(page: Pages, { from_ms, to_ms }: ExportRequest): AsyncGenerator<ScoredSample[]> {
  let after: SamplePlace | null = null;
  for (;;) {
    const samples: ScoredSample[] = page(from_ms, to_ms, after, PAGE);
    const last = samples.at(-1);
    if (!last) return;
    yield samples;
    after = { ts_ms: last.ts_ms, rack_id: last.sample.rack_id, seq: last.sample.seq };
    // Others who share this thread get their turn.
    await nextTurn();
  }
}

/** The range as CSV, in pieces. */
export async function* csvText(page: Pages, request: ExportRequest): AsyncGenerator<string> {
  yield CSV_HEADER;
  for await (const samples of samplesOf(page, request)) {
    yield samples.map((sample) => csvLine(toRow(sample))).join("");
  }
}

/**
 * Writes the range to a file, which is there only when it is complete.
 *
 * @returns how many rows and bytes
 * @throws SkadiError SKADI_INVALID_FIELD where it cannot be written
 */
export async function exportToFile(
  page: Pages,
  request: ExportRequest & { format: Format; path: string },
): Promise<{ rows: number; bytes: number }> {
  const part = `${request.path}.part`;
  let rows = 0;
  const counted: Pages = (...range) => {
    const samples = page(...range);
    rows += samples.length;
    return samples;
  };
  try {
    if (request.format === "csv") {
      await pipeline(Readable.from(csvText(counted, request)), createWriteStream(part));
    } else {
      await writeParquetFile(counted, request, part);
    }
    await rename(part, request.path);
  } catch (error) {
    await rm(part, { force: true });
    if (!(error instanceof Error && "syscall" in error)) throw error;
    const expected = `a file that can be written (${error.message})`;
    throw skadiError("SKADI_INVALID_FIELD", { field: "--out", value: request.path, expected });
  }
  return { rows, bytes: (await stat(request.path)).size };
}

async function writeParquetFile(page: Pages, request: ExportRequest, path: string): Promise<void> {
  // Loaded here: the other format needs none of it.
  const { writeParquet } = await import("./parquet.ts");
  const file = writeParquet(path);
  for await (const samples of samplesOf(page, request)) for (const sample of samples) file.add(toRow(sample));
  file.finish();
}
