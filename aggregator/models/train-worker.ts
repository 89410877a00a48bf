import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import { MEASURED_FIELDS, type TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { SkadiError } from "../../shared/errors.ts";
import { readFeatureRows, rowBuffer } from "../../shared/ims/rows.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import { fitModel, prepareTraining, type TrainOptions } from "../../shared/ims/train.ts";
import { isoTime } from "../../shared/time.ts";
import { csvFacts } from "./registry/csv-facts.ts";
import { type DataFacts, trainedLineage } from "./registry/lineage.ts";
import type { TrainReply, TrainSource } from "./train-job.ts";
import { rowsToShow, trainingReport } from "./training-report.ts";

interface TrainingData {
  rows: Float64Array;
  facts: DataFacts;
}

/** Runs in a worker thread: trains on a CSV file or on stored telemetry and posts the model, or why there is none. */
async function run(source: TrainSource, options: TrainOptions & { limits: Limits }): Promise<TrainReply> {
  try {
    const { rows, facts } =
      source.kind === "csv" ? await readCsvRows(source.path) : readStoredRows(source.database);
    const shown = rowsToShow(rows);
    const model = fitModel(prepareTraining(rows, options), options);
    const { data, clusters, seed, limits, kind, threshold, trim_share } = options;
    const chosen = {
      ...(kind && { kind }),
      ...(threshold && { threshold }),
      ...(trim_share && { trim_share }),
    };
    const lineage = trainedLineage(model, facts, { clusters, seed, limits, ...chosen });
    const page = trainingReport(model, shown, { limits, data });
    return { ok: true, model, lineage, page };
  } catch (error) {
    if (error instanceof SkadiError) return { ok: false, rejections: error.rejections };
    throw error;
  }
}

async function readCsvRows(path: string): Promise<TrainingData> {
  return { rows: await readFeatureRows(path), facts: csvFacts(path) };
}

/** Stored samples; the nominal filter of the training itself picks those to learn from. */
function readStoredRows(database: string): TrainingData {
  const db = new DatabaseSync(database, { readOnly: true, timeout: 5_000 });
  const buffer = rowBuffer();
  const select = db.prepare(
    `SELECT ts_ms, interval_s, ${MEASURED_FIELDS.join(", ")} FROM samples ORDER BY ts_ms, rack_id`,
  );
  let from: string | null = null;
  let to_ms = 0;
  for (const row of select.iterate()) {
    to_ms = row.ts_ms as number;
    from ??= isoTime(to_ms);
    buffer.push(toFeatures(row as unknown as TelemetrySample));
  }
  db.close();
  const rows = buffer.matrix();
  const sha256 = createHash("sha256").update(rows).digest("hex");
  return { rows, facts: { sha256, from, to: from && isoTime(to_ms) } };
}

parentPort?.postMessage(await run(workerData.source, workerData.options));
