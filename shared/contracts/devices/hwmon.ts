import * as z from "zod";
import { deviceShape, driveShape, fieldFitsUnit, pointShape, sensorShape } from "./common.ts";
import { withHostUnit } from "./host-unit.ts";

/** What the kernel's sensors can tell. */
const HWMON_UNITS = ["celsius", "watt", "joule", "rpm", "percent"] as const;
export type HwmonUnit = (typeof HWMON_UNITS)[number];

const root = z.string().min(1).default("/sys/class/hwmon");

/** Where a sensor is found; numbers such as that of hwmon3 change from boot to boot and are no address. */
const addressShape = {
  /** The chip's name (`cat /sys/class/hwmon/hwmon0/name`); `*` and `?` as in every name here. */
  chip: z.string().min(1),
  /** The name of the chip's device, such as a PCI address, where several chips have one name. */
  device: z.string().min(1).default("*"),
};

const Point = z
  .strictObject({
    ...pointShape,
    ...addressShape,
    /** The sensor's label, or for want of one its file's name without `_input`, such as temp1. */
    sensor: z.string().min(1),
  })
  .superRefine(fieldFitsUnit)
  .transform(withHostUnit)
  .refine((point) => HWMON_UNITS.some((unit) => unit === point.unit), {
    path: ["unit"],
    error: `one of ${HWMON_UNITS.join(", ")}`,
  });
export type HwmonPoint = z.infer<typeof Point>;

/** The sensors of this machine as its kernel tells them. */
export const HwmonSensor = z.strictObject({
  driver: z.literal("hwmon"),
  ...sensorShape,
  root,
  points: z.array(Point).min(1),
});
export type HwmonSensor = z.infer<typeof HwmonSensor>;

const Driven = z.strictObject({
  ...z.object(driveShape).pick({ target: true }).shape,
  ...addressShape,
  /** The output's name, such as pwm1, or a pattern for several that are driven alike. */
  pwm: z.string().min(1),
  /** What the chip's pwm_enable is set to for its own control; 2 for most, 5 for some. */
  automatic: z.int().min(2).max(9).default(2),
});

/** Fans of this machine that its kernel drives. */
export const HwmonDrive = z.strictObject({
  driver: z.literal("hwmon"),
  ...deviceShape,
  root,
  targets: z.array(Driven).min(1),
});
export type HwmonDrive = z.infer<typeof HwmonDrive>;
