import type { Action } from "../shared/contracts/action.ts";
import type { MmsState, Score } from "../shared/contracts/score.ts";
import type { TelemetrySample } from "../shared/contracts/telemetry.ts";
import type { Severity } from "./guardrail/guardrail.ts";

/** One guard tick, as it was when all that had to be done for the rack was done. */
export interface TickView {
  /** From closing the sample to handing what was decided to the devices. */
  duration_s: number;
  /** Of the part that scoring took; null where nothing was scored. */
  score_s: number | null;
  severity: Severity;
  mms_state: MmsState;
  closed_loop: boolean;
  model_id: string | null;
  telemetry: TelemetrySample | null;
  score: Score | null;
}

/** Who looks on at the agent's work, without a part in it: called only after the rack has been taken care of. */
export interface Observer {
  ticked(tick: TickView): void;
  acted(action: Action): void;
  /** The broker has acknowledged a message, this long after it was sent. */
  published(duration_s: number): void;
}

export const noObserver: Observer = { ticked: () => {}, acted: () => {}, published: () => {} };
