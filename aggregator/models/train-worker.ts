import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { MEASURED_FIELDS, type TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { SkadiError } from "../../shared/errors.ts";
import { readFeatureRows, rowBuffer } from "../../shared/ims/rows.ts";
import { toFeatures } from "../../shared/ims/to-features.ts";
import { type TrainOptions, trainModel } from "../../shared/ims/train.ts";
import type { TrainReply, TrainSource } from "./train-job.ts";

/** Runs in a worker thread: trains on a CSV file or on stored telemetry and posts the model, or why there is none. */
async function run(source: TrainSource, options: TrainOptions): Promise<TrainReply> {
  try {
    const rows = source.kind === "csv" ? await readFeatureRows(source.path) : readStoredRows(source);
    return { ok: true, model: trainModel(rows, options) };
  } catch (error) {
    if (error instanceof SkadiError) return { ok: false, rejections: error.rejections };
    throw error;
  }
}

/** Stored samples; the nominal filter of the training itself picks those to learn from. */
function readStoredRows({ database, settled }: TrainSource & { kind: "stored" }): Float64Array {
  const db = new DatabaseSync(database, { readOnly: true, timeout: 5_000 });
  const rows = rowBuffer();
  const wanted = settled ? "mms_state IS NOT 'persistent'" : "true";
  const available = db.prepare(`SELECT count(*) AS n FROM samples WHERE ${wanted}`).get() as { n: number };
  const stride = settled ? Math.max(1, Math.ceil(available.n / settled.rows_max)) : 1;
  const select = db.prepare(
    `SELECT interval_s, ${MEASURED_FIELDS.join(", ")} FROM samples
     WHERE ${wanted} AND seq % CAST(? AS INTEGER) = 0 ORDER BY ts_ms, rack_id`,
  );
  for (const row of select.iterate(stride)) rows.push(toFeatures(row as unknown as TelemetrySample));
  db.close();
  return rows.matrix();
}

parentPort?.postMessage(await run(workerData.source, workerData.options));
