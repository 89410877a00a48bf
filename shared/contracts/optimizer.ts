import * as z from "zod";
import { Action, Mode } from "./action.ts";
import { Timestamp } from "./envelope.ts";

const PredictionErrors = z.object({
  inlet_c: z.number(),
  outlet_c: z.number(),
  pdu_kw: z.number(),
  latency_p95_ms: z.number(),
});

const OptimizerPolicy = z.enum(["predictive", "described"]);

/** One round of the slow loop: what decided, what came of it, and why not more. */
export const OptimizerRound = z.object({
  ts: Timestamp,
  mode: Mode,
  skipped: z.enum(["kill_switch", "no_model", "no_fresh_data", "switchback"]).nullable(),
  rejected: z.record(z.string(), z.int()).describe("racks left out and candidates refused, by reason"),
  actions: z.array(Action),
  policy: OptimizerPolicy.describe("what decided in this round"),
  fallback: z
    .string()
    .nullable()
    .describe("why the described policy decided although the predictive one is set"),
  explanations: z.array(z.string()).describe("limits that the plan cannot meet within one step, in words"),
  summary: z.array(z.string()).describe("the round in sentences"),
  plan_ms: z.number().min(0),
  solver: z
    .object({ status: z.string(), iterations: z.int(), columns: z.int() })
    .nullable()
    .describe("of the linear program; null where none was solved"),
  prediction: z
    .object({
      racks: z.int(),
      one_step: PredictionErrors.describe("one minute ahead"),
      ten_minutes: PredictionErrors.extend({ tokens_ps: z.number(), count: z.int() })
        .nullable()
        .describe("the steady state ten minutes ahead, with the load forecast; null: none is due yet"),
    })
    .describe("RMS of measured minus predicted, over all racks"),
});
export type OptimizerRound = z.infer<typeof OptimizerRound>;

export const OptimizerAnswer = z.object({
  policy: OptimizerPolicy.describe("that is set; what decided is said by the round"),
  interval_s: z.number(),
  last: OptimizerRound.nullable().describe("null: none yet since the aggregator started"),
});
export type OptimizerAnswer = z.infer<typeof OptimizerAnswer>;
