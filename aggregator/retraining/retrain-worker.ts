import { parentPort, workerData } from "node:worker_threads";
import { type Rejection, SkadiError, skadiError } from "../../shared/errors.ts";
import { openStoredSeries, type StoredSeries } from "../drift/stored-series.ts";
import { type RetrainOutcome, type RetrainRequest, retrain } from "./retrain.ts";

/** `range` is what may be learnt from; the thread finds out how much of it is stored. */
export interface RetrainJob {
  database: string;
  request: Omit<RetrainRequest, "interval_ms">;
}

export type RetrainReply = { ok: true; outcome: RetrainOutcome } | { ok: false; rejections: Rejection[] };

/** Held back at most, of what is stored. */
const HOLDBACK_SHARE_MAX = 0.25;

/** Runs in a worker thread: retrains on the store's telemetry and posts what came of it, or why nothing did. */
function run({ database, request }: RetrainJob): RetrainReply {
  const stored = openStoredSeries(database);
  try {
    return { ok: true, outcome: retrain(fitted(request, stored), stored.read) };
  } catch (error) {
    if (error instanceof SkadiError) return { ok: false, rejections: error.rejections };
    throw error;
  } finally {
    stored.close();
  }
}

function fitted(request: RetrainJob["request"], stored: StoredSeries): RetrainRequest {
  // A site that was down a while has nothing to hold back there.
  const range = stored.span(request.range.from_ms, request.range.to_ms);
  if (!range) {
    throw skadiError("SKADI_BAD_DATA", { field: "data", value: "no stored telemetry", expected: "some" });
  }
  const rows = stored.count(range.from_ms, range.to_ms);
  const span_ms = range.to_ms - range.from_ms;
  return {
    ...request,
    range,
    holdback_ms: Math.min(request.holdback_ms, HOLDBACK_SHARE_MAX * span_ms),
    interval_ms: (span_ms * request.racks.length) / Math.max(1, rows),
  };
}

parentPort?.postMessage(run(workerData as RetrainJob));
