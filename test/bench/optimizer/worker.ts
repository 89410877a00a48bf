import { parentPort, workerData } from "node:worker_threads";
import { createSolver } from "../../../aggregator/optimizer/lp.ts";
import type { PredictionQuality } from "../../../aggregator/optimizer/site-observer.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { createScorer } from "../../../shared/ims/score.ts";
import { DAY_S, faultSchedule, type ScheduledFault } from "../fault-schedule.ts";
import { type Hall, type HallResult, type Policy, runHall } from "./hall.ts";
import {
  automaticPolicy,
  describedPolicy,
  FIXED_FOR_PEAK,
  fixedPolicy,
  type Notes,
  oraclePolicy,
  type PolicyName,
  predictivePolicy,
} from "./policies.ts";

export interface Job {
  policy: PolicyName;
  seed: number;
  days: number;
}

export interface JobResult extends Job {
  result: HallResult;
  quality: PredictionQuality | null;
  notes: Notes | null;
}

/** One policy through one seed's days per message; `hour` messages on the way. */
const { model } = workerData as { model: ModelFile };
const scorer = createScorer(model);

/** Every day has its own faults, as the fault bench draws them. */
function schedule(seed: number, days: number): ScheduledFault[] {
  return Array.from({ length: days }, (_, day) =>
    faultSchedule(seed + 10_000 * day).map((fault) => ({
      ...fault,
      start_s: fault.start_s + DAY_S * day,
      end_s: fault.end_s + DAY_S * day,
    })),
  ).flat();
}

parentPort?.on("message", async ({ policy: name, seed, days }: Job) => {
  const solve = await createSolver();
  let quality: PredictionQuality | null = null;
  let notes: Notes | null = null;
  const policies: Record<PolicyName, (hall: Hall) => Policy> = {
    fixed: () => fixedPolicy(),
    fixed_for_peak: () => fixedPolicy(FIXED_FOR_PEAK),
    automatic: () => automaticPolicy(),
    described: (hall) => describedPolicy(hall, scorer),
    ours: (hall) =>
      predictivePolicy(hall, scorer, solve, (seen, noted) => {
        quality = seen;
        notes = noted;
      }),
    oracle: (hall) => oraclePolicy(hall, seed),
  };
  const result = runHall({
    ...{ seed, days, scorer, schedule: schedule(seed, days), policy: policies[name] },
    onHour: () => parentPort?.postMessage("hour"),
  });
  parentPort?.postMessage({ policy: name, seed, days, result, quality, notes } satisfies JobResult);
});
