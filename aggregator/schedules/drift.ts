import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Clock } from "../../shared/time.ts";
import type { DriftCheck } from "../drift/drift-check.ts";
import type { Retraining } from "../retraining/retraining.ts";
import type { JobResult } from "./scheduler.ts";

interface DriftJobContext {
  config: Pick<AggregatorConfig, "drift" | "retraining">;
  clock: Clock;
  drift: DriftCheck;
  retraining: Retraining;
}

const HOUR_MS = 3_600_000;

/** Checks for drift, and retrains where the site's operation has drifted in several checks in a row. */
export function driftJob({ config, clock, drift, retraining }: DriftJobContext): () => Promise<JobResult> {
  const paused = () => {
    const last = retraining.last();
    if (last?.trigger !== "drift") return false;
    return clock.wall(clock.now()) - Date.parse(last.at) < config.retraining.pause_h * HOUR_MS;
  };
  return async () => {
    const report = await drift.check();
    if (!report) return { outcome: "skipped", detail: "no model in force" };
    const { level, summary, major_in_a_row } = report;
    const { retrain_after } = config.drift;
    const due = retrain_after > 0 && major_in_a_row >= retrain_after && !paused();
    if (!due) return { outcome: level === "unknown" ? "skipped" : "ok", detail: summary.join(" ") };
    const { detail } = await retraining.run("drift");
    return { outcome: "ok", detail: `${summary.join(" ")} Retrained: ${detail}` };
  };
}
