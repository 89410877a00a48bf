import * as z from "zod";
import { fieldFitsUnit, pointShape, sensorShape } from "./common.ts";

/** What the systeminformation library tells of this machine, for one that has nothing better to offer. */
export const SystemInformationSensor = z.strictObject({
  driver: z.literal("systeminformation"),
  ...sensorShape,
  /** It starts programs to find out. */
  poll_s: z.number().min(2).max(3_600).default(5),
  timeout_s: sensorShape.timeout_s.default(4),
  points: z
    .array(
      z
        .strictObject({
          ...pointShape,
          read: z.enum(["cpu_temperature", "cpu_temperature_max", "chipset_temperature"]),
        })
        .superRefine(fieldFitsUnit)
        .refine(({ field }) => field === "inlet_c" || field === "outlet_c", {
          path: ["field"],
          error: "inlet_c or outlet_c: it tells temperatures only",
        }),
    )
    .min(1),
});
export type SystemInformationSensor = z.infer<typeof SystemInformationSensor>;
