import type { Score } from "../../../shared/contracts/score.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { isoTime } from "../../../shared/time.ts";
import { NOMINAL_SAMPLE } from "../../support/readings.ts";

const START_MS = Date.UTC(2026, 0);

/** The `seq`-th sample of a rack that is read every 5 s. */
export function sampleAt(seq: number, changes: Partial<TelemetrySample> = {}): TelemetrySample {
  const ts = isoTime(START_MS + (seq % 1e9) * 5_000);
  const base = { v: 1, ts, rack_id: "R-A-01", seq, interval_s: 5, ...NOMINAL_SAMPLE };
  return TelemetrySample.parse({ ...base, ...changes });
}

export function scoreAt(seq: number, d: number): Score {
  const { ts, rack_id } = sampleAt(seq);
  const verdict = {
    d,
    tau_fast: 2,
    tau_persist: 2.5,
    cluster: 0,
    contributions: { inlet_c: 1 },
    missing: [],
  };
  return { v: 1, ts, rack_id, seq, ...verdict, model_id: "ims-1", state: "nominal", scored_by: "agent" };
}
