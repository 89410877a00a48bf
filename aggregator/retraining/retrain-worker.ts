import { parentPort, workerData } from "node:worker_threads";
import { type Rejection, SkadiError, skadiError } from "../../shared/errors.ts";
import { openStoredSeries, type StoredSeries } from "../drift/stored-series.ts";
import { type RetrainOutcome, type RetrainRequest, retrain } from "./retrain.ts";

/** `range` is what may be learnt from; how much of it is stored is found out here. */
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
  const { to_ms } = request.range;
  const from_ms = Math.max(request.range.from_ms, stored.firstMs() ?? to_ms);
  const rows = stored.count(from_ms, to_ms);
  if (rows === 0) {
    throw skadiError("SKADI_BAD_DATA", { field: "data", value: "no stored telemetry", expected: "some" });
  }
  const span_ms = to_ms - from_ms;
  return {
    ...request,
    range: { from_ms, to_ms },
    holdback_ms: Math.min(request.holdback_ms, HOLDBACK_SHARE_MAX * span_ms),
    interval_ms: (span_ms * request.racks.length) / rows,
  };
}

parentPort?.postMessage(run(workerData as RetrainJob));
