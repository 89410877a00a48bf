import * as z from "zod";
import { RackTarget } from "../action.ts";
import { MEASURED_FIELDS } from "../telemetry.ts";
import { deviceShape, sensorShape } from "./common.ts";

const command = z.array(z.string()).min(1);
const timeout_s = deviceShape.timeout_s.default(4);

/** A command that prints one JSON object with telemetry fields each time it runs; energy since its last run. */
export const ExecSensor = z.strictObject({
  driver: z.literal("exec"),
  ...sensorShape,
  timeout_s,
  command,
  /** What the command prints; beside other devices, name it, or its silence on a field counts as a silent sensor. */
  fields: z
    .array(z.enum(MEASURED_FIELDS))
    .min(1)
    .default([...MEASURED_FIELDS]),
});
export type ExecSensor = z.infer<typeof ExecSensor>;

/**
 * A command that drives: run with `set <target> <value|auto>` it sets, with `get <target>` it prints what is in
 * force, a number or `auto`.
 */
export const ExecDrive = z.strictObject({
  driver: z.literal("exec"),
  ...deviceShape,
  timeout_s,
  command,
  targets: z.array(z.strictObject({ target: RackTarget })).min(1),
});
export type ExecDrive = z.infer<typeof ExecDrive>;
