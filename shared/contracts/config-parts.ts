import * as z from "zod";
import { LOG_LEVELS } from "../log-levels.ts";

export const Log = z.strictObject({ level: z.enum(LOG_LEVELS).default("info") }).prefault({});
/** The site's operating limits (design §4); the same on agents and aggregator. */
export const Limits = z
  .strictObject({
    inlet_c: z.number().default(28),
    latency_p95_ms: z.number().positive().default(250),
    rack_kw: z.number().positive().default(12),
  })
  .prefault({});
export type Limits = z.infer<typeof Limits>;

export const MqttClient = z
  .strictObject({
    url: z.url({ protocol: /^(mqtts?|wss?|tcp|tls)$/ }).default("mqtt://127.0.0.1:1883"),
    username: z.string().optional(),
    password: z.string().optional(),
  })
  .prefault({});
export type MqttClientConfig = z.infer<typeof MqttClient>;

/** Hard limits of one actuator and the largest change that a single action may make. */
export const limitsOf = (min: number, max: number, step_max: number) => ({
  min: z.number().default(min),
  max: z.number().default(max),
  step_max: z.number().positive().default(step_max),
});
export const maxAboveMin = (a: { min: number; max: number }) => a.min <= a.max;
export const MAX_ABOVE_MIN = { path: ["max"], error: "max ≥ min" };

export const LIMITS = {
  fan_rpm_pct: [40, 100, 15],
  pump_rpm_pct: [35, 90, 15],
  routing_weight_pct: [40, 100, 25],
  admission_pct: [70, 100, 30],
  batch_window_ms: [0, 80, 40],
  power_cap_kw: [4, 12, 3],
} as const;
