import { SkadiError } from "../../shared/errors.ts";
import type { Library } from "../models/library.ts";
import type { Trainer } from "../models/train-job.ts";
import type { JobResult } from "./scheduler.ts";

interface RetrainingContext {
  trainer: Trainer;
  /** Not the library of models: what lies there may be run at the next start, and nobody has approved a candidate. */
  candidates: Library;
}

/** As the described model is trained; the same data give the same candidate. */
const RECIPE = { clusters: 8, seed: 42 };
/** Rows learnt from at most: a week of a large site has far more than a model of eight clusters needs. */
const ROWS_MAX = 1_000_000;

/** Makes a candidate from what is stored, of racks that were not persistent; it is neither pushed nor put in force. */
export function retraining({ trainer, candidates }: RetrainingContext): () => Promise<JobResult> {
  return async () => {
    try {
      const { model } = await trainer.train({ data: null, ...RECIPE, settled: { rows_max: ROWS_MAX } });
      const { nominal_rows, rows } = model.training;
      const detail = `candidate ${model.id} from ${nominal_rows} nominal of ${rows} rows in ${candidates.save(model)}`;
      return { outcome: "ok", detail };
    } catch (error) {
      // Too little data yet, or somebody trains at this moment: nothing is wrong with the schedule.
      if (error instanceof SkadiError && (error.code === "SKADI_BAD_DATA" || error.code === "SKADI_CONFLICT"))
        return { outcome: "skipped", detail: error.message };
      throw error;
    }
  };
}
