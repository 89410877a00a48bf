import * as z from "zod";
import { RackTarget } from "../action.ts";
import { MEASURED_FIELDS } from "../telemetry.ts";
import { FIELD_UNITS, UNIT_RULES, Unit, unitsOf } from "./units.ts";

export const Aggregate = z.enum(["sum", "mean", "max", "min"]);
export type Aggregate = z.infer<typeof Aggregate>;

/** A secret: as it is, or better, where it is kept: a file (its first line), or a variable of the environment. */
export const Secret = z.union(
  [
    z.string().min(1),
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({ env: z.string().min(1) }),
  ],
  "a text, { file: … } or { env: … }",
);
export type Secret = z.infer<typeof Secret>;

/** What every device has, whatever it speaks. */
export const deviceShape = {
  /** How logs, `check` and error messages call it. */
  name: z.string().regex(/^[\w.-]{1,40}$/, "1 to 40 letters, digits, dots, hyphens or underscores"),
  /** One attempt may take this long. */
  timeout_s: z.number().positive().max(60).default(2),
  /** Attempts after a failed one, at once; after them the device is asked again later and later. */
  retries: z.int().min(0).max(5).default(1),
};

/** What every device that is read has. */
export const sensorShape = {
  ...deviceShape,
  /** How often it is read. */
  poll_s: z.number().positive().max(3_600).default(1),
  /** Its last answer counts for this long; default: three polls and one timeout. */
  stale_after_s: z.number().positive().max(86_400).optional(),
};

/** What every point of a device has: which telemetry field it feeds, and how. */
export const pointShape = {
  field: z.enum(MEASURED_FIELDS),
  /** Default: the field's own. */
  unit: Unit.optional(),
  /** Applied to the raw number before its unit: raw × scale + offset. */
  scale: z.number().default(1),
  offset: z.number().default(0),
  /** The speed that counts as 100 %, for the unit rpm. */
  full_scale_rpm: z.number().positive().optional(),
  /** Where a point stands for several outlets or probes: how they become one number. Default: the field's own. */
  aggregate: Aggregate.optional(),
};

const CommonPoint = z.object(pointShape);
export type CommonPoint = z.infer<typeof CommonPoint>;

/** Checks what the shape of a point cannot say: that its unit fits its field. */
export function fieldFitsUnit({ field, unit, full_scale_rpm }: CommonPoint, ctx: z.RefinementCtx): void {
  if (unit && UNIT_RULES[unit].dimension !== FIELD_UNITS[field].dimension) {
    ctx.addIssue({ code: "custom", path: ["unit"], message: `one of ${unitsOf(field).join(", ")}` });
  }
  if (unit === "rpm" && full_scale_rpm === undefined) {
    ctx.addIssue({ code: "custom", path: ["full_scale_rpm"], message: "the speed in rpm that is 100 %" });
  }
}

/** What every driven point has: raw = value × scale + offset is what the device is told. */
export const driveShape = {
  target: RackTarget,
  scale: z
    .number()
    .refine((scale) => scale !== 0, "not 0")
    .default(1),
  offset: z.number().default(0),
};
