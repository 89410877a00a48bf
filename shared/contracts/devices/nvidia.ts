import * as z from "zod";
import { fieldFitsUnit, pointShape, sensorShape } from "./common.ts";
import { withHostUnit } from "./host-unit.ts";

/** What is read of each GPU, by the names of `nvidia-smi --help-query-gpu`. */
const NVIDIA_QUERIES = [
  "power.draw",
  "power.draw.average",
  "power.draw.instant",
  "temperature.gpu",
  "temperature.memory",
  "fan.speed",
] as const;

const Point = z
  .strictObject({
    ...pointShape,
    query: z.enum(NVIDIA_QUERIES).default("power.draw"),
  })
  .superRefine(fieldFitsUnit)
  .transform(withHostUnit);

/** GPUs of this machine as nvidia-smi tells them. */
export const NvidiaSensor = z.strictObject({
  driver: z.literal("nvidia"),
  ...sensorShape,
  timeout_s: sensorShape.timeout_s.default(10),
  /** The program, where it is not found by itself. */
  program: z.string().min(1).default("nvidia-smi"),
  /** The GPUs that belong to this rack, by index or UUID; default: all of the machine. */
  gpus: z.array(z.union([z.int().min(0), z.string().regex(/^GPU-\S+$/, "an index or a UUID")])).optional(),
  points: z
    .array(Point)
    .min(1)
    .prefault([{ field: "gpu_energy_j" }]),
});
export type NvidiaSensor = z.infer<typeof NvidiaSensor>;
