import * as z from "zod";
import { Timestamp } from "./envelope.ts";

/**
 * The quantities whose sensors are watched, in the order of the vectors below. delta_t is left out: it is the
 * difference of two others and has no sensor of its own.
 */
export const HEALTH_FIELDS = [
  "inlet_c",
  "outlet_c",
  "pdu_kw",
  "gpu_power_kw",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
] as const;
export type HealthField = (typeof HEALTH_FIELDS)[number];

const COUNT = HEALTH_FIELDS.length;
const Vector = z.array(z.number()).length(COUNT);
const PositiveVector = z.array(z.number().positive()).length(COUNT);

/** A Gaussian of standardised quantities around 0, and how far nominal operation strays from it. */
const Relation = z
  .object({
    /** Inverse covariance: it holds the regression of every quantity on all others. */
    precision: z.array(Vector).length(COUNT),
    /** The squared Mahalanobis distance that nominal operation does not reach. */
    limit: z.number().positive(),
    /** What all but one in a hundred nominal windows stay below. */
    usual: z.number().positive(),
  })
  .refine((r) => r.limit > r.usual, { path: ["limit"], error: "a limit above usual" })
  .refine((r) => r.precision.every((row, j) => row[j]! > 0), {
    path: ["precision"],
    error: "a positive diagonal",
  });
export type Relation = z.infer<typeof Relation>;

/**
 * What healthy sensors of a site's racks look like, learnt from nominal operation beside the IMS model. A file of a
 * few kB; it can become a block of the model file as it is.
 */
export const HealthDescription = z.object({
  v: z.literal(1),
  created_at: Timestamp,
  data: z.string(),
  fields: z.array(z.string()).refine((f) => f.join() === HEALTH_FIELDS.join(), {
    error: `the fields ${HEALTH_FIELDS.join(", ")}`,
  }),
  windows: z.int().positive(),
  mean: Vector,
  scale: PositiveVector,
  /** Exact repeats in a row after which a sensor counts as stuck; null: it repeats itself too often to tell. */
  stuck_windows: z.array(z.int().min(2).nullable()).length(COUNT),
  /** Variance of each quantity about what the others predict, over its nominal value, that is never reached. */
  erratic_limit: PositiveVector,
  relations: z.object({
    /** Of single windows. */
    instant: Relation,
    /** Of windows smoothed over about a minute. */
    smoothed: Relation,
    /** Of the difference between the smoothed windows and their mean over about ten minutes. */
    change: Relation,
  }),
});
export type HealthDescription = z.infer<typeof HealthDescription>;
