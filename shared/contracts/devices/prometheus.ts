import * as z from "zod";
import type { MeasuredField } from "../telemetry.ts";
import { fieldFitsUnit, pointShape, sensorShape } from "./common.ts";
import { Basic, Bearer, HttpUrl, httpShape } from "./http.ts";
import type { Unit } from "./units.ts";

const Regex = z.string().refine((source) => {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    // That it does not compile is the answer.
    return false;
  }
}, "a regular expression");

const metricShape = {
  /** As the page names it; of a histogram without `_bucket`. */
  metric: z.string().min(1),
  /** Keeps the series whose labels are these; a regular expression must match the whole label. */
  labels: z.record(z.string(), z.union([z.string(), z.strictObject({ regex: Regex })])).default({}),
  /** Of a histogram: which quantile of what came in within the window. */
  quantile: z.number().min(0).max(1).optional(),
  window_s: z.number().min(1).max(3_600).default(60),
};

const Point = z.strictObject({ ...pointShape, ...metricShape }).superRefine(fieldFitsUnit);
export type PrometheusPoint = z.infer<typeof Point>;

interface ReadyPoint {
  field: MeasuredField;
  unit: Unit;
  metric: string;
  labels?: Record<string, string>;
  quantile?: number;
}

/** What well-known servers and exporters call the quantities that Skadi wants. */
const PROMETHEUS_PROFILES = {
  vllm: [
    { field: "tokens_ps", unit: "total", metric: "vllm:generation_tokens_total" },
    { field: "latency_p95_ms", unit: "second", metric: "vllm:e2e_request_latency_seconds", quantile: 0.95 },
    { field: "queue_depth", unit: "count", metric: "vllm:num_requests_waiting" },
  ],
  tgi: [
    // TGI has no counter of tokens; this one grows when an answer is complete.
    { field: "tokens_ps", unit: "total", metric: "tgi_request_generated_tokens_sum" },
    { field: "latency_p95_ms", unit: "second", metric: "tgi_request_duration", quantile: 0.95 },
    { field: "queue_depth", unit: "count", metric: "tgi_queue_size" },
  ],
  triton: [
    { field: "tokens_ps", unit: "total", metric: "nv_llm_output_token_len_sum" },
    {
      field: "latency_p95_ms",
      unit: "microsecond",
      metric: "nv_inference_request_summary_us",
      labels: { quantile: "0.95" },
    },
    { field: "queue_depth", unit: "count", metric: "nv_inference_pending_request_count" },
  ],
  dcgm: [{ field: "gpu_energy_j", unit: "millijoule", metric: "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" }],
  /** For GPUs without an energy counter. */
  dcgm_power: [{ field: "gpu_energy_j", unit: "watt", metric: "DCGM_FI_DEV_POWER_USAGE" }],
} as const satisfies Record<string, readonly ReadyPoint[]>;
type ProfileName = keyof typeof PROMETHEUS_PROFILES;

/** The points of a profile as if they stood in the configuration. */
export function prometheusProfile(profile: ProfileName): PrometheusPoint[] {
  return PROMETHEUS_PROFILES[profile].map((point) => Point.parse(point));
}

/** Metrics pages in Prometheus' text format: of servers, of GPU exporters, of anything. */
export const PrometheusSensor = z
  .strictObject({
    driver: z.literal("prometheus"),
    ...sensorShape,
    poll_s: sensorShape.poll_s.default(5),
    /** Several: the same server several times, taken together. */
    urls: z.array(HttpUrl).min(1),
    auth: z.union([Basic, Bearer], "username and password, or bearer").optional(),
    ...httpShape,
    response_max_kb: httpShape.response_max_kb.default(16_384),
    profiles: z
      .array(z.enum(Object.keys(PROMETHEUS_PROFILES) as [ProfileName, ...ProfileName[]]))
      .default([]),
    points: z.array(Point).default([]),
  })
  .refine((d) => d.profiles.length + d.points.length > 0, {
    path: ["points"],
    error: "at least one point or profile",
  });
export type PrometheusSensor = z.infer<typeof PrometheusSensor>;
