import { z } from "zod";
import { LOG_LEVELS } from "../log.ts";
import { Mode } from "./action.ts";
import { Drives, Sensors } from "./devices/index.ts";
import { RackId, SiteId } from "./rack.ts";

const Log = z.strictObject({ level: z.enum(LOG_LEVELS).default("info") }).prefault({});
const Port = z.int().min(0).max(65_535);

/** The site's operating limits (design §4); the same on agents and aggregator. */
export const Limits = z
  .strictObject({
    inlet_c: z.number().default(28),
    latency_p95_ms: z.number().positive().default(250),
    rack_kw: z.number().positive().default(12),
  })
  .prefault({});
export type Limits = z.infer<typeof Limits>;

const MqttClient = z
  .strictObject({
    url: z.url({ protocol: /^(mqtts?|wss?|tcp|tls)$/ }).default("mqtt://127.0.0.1:1883"),
    username: z.string().optional(),
    password: z.string().optional(),
  })
  .prefault({});
export type MqttClientConfig = z.infer<typeof MqttClient>;

/** Hard limits of one actuator and the largest change that a single action may make. */
const limits = (min: number, max: number, step_max: number) => ({
  min: z.number().default(min),
  max: z.number().default(max),
  step_max: z.number().positive().default(step_max),
});
const maxAboveMin = (a: { min: number; max: number }) => a.min <= a.max;
const MAX_ABOVE_MIN = { path: ["max"], error: "max ≥ min" };

const actuatorLimits = (...of: Parameters<typeof limits>) =>
  z
    .strictObject(limits(...of))
    .refine(maxAboveMin, MAX_ABOVE_MIN)
    .prefault({});

/** On the rack itself also where the target is left when nobody looks after it any more. */
const drivenLimits = (...of: Parameters<typeof limits>) =>
  z
    .strictObject({ ...limits(...of), fail_safe: z.number().optional() })
    .refine(maxAboveMin, MAX_ABOVE_MIN)
    .refine((a) => a.fail_safe === undefined || (a.fail_safe >= a.min && a.fail_safe <= a.max), {
      path: ["fail_safe"],
      error: "a value from min to max",
    })
    .prefault({});

const LIMITS = {
  fan_rpm_pct: [40, 100, 15],
  pump_rpm_pct: [35, 90, 15],
  routing_weight_pct: [40, 100, 25],
  admission_pct: [70, 100, 30],
  batch_window_ms: [0, 80, 40],
} as const;

const Actuators = z
  .strictObject({
    fan_rpm_pct: actuatorLimits(...LIMITS.fan_rpm_pct),
    pump_rpm_pct: actuatorLimits(...LIMITS.pump_rpm_pct),
    routing_weight_pct: actuatorLimits(...LIMITS.routing_weight_pct),
    admission_pct: actuatorLimits(...LIMITS.admission_pct),
    batch_window_ms: actuatorLimits(...LIMITS.batch_window_ms),
  })
  .prefault({});
export type Actuators = z.infer<typeof Actuators>;

const AgentActuators = z
  .strictObject({
    fan_rpm_pct: drivenLimits(...LIMITS.fan_rpm_pct),
    pump_rpm_pct: drivenLimits(...LIMITS.pump_rpm_pct),
    routing_weight_pct: drivenLimits(...LIMITS.routing_weight_pct),
    admission_pct: drivenLimits(...LIMITS.admission_pct),
    batch_window_ms: drivenLimits(...LIMITS.batch_window_ms),
  })
  .prefault({});
export type AgentActuators = z.infer<typeof AgentActuators>;
export type ActuatorLimits = AgentActuators["fan_rpm_pct"];

const Guardrail = z
  .strictObject({
    /** The inlet counts as near its limit within this distance. */
    inlet_margin_c: z.number().min(0).default(0.5),
    /** At most one action per target in this time, emergencies excepted. */
    action_spacing_s: z.number().min(0).default(60),
    /** Calm for this long before the guardrail hands anything back. */
    release_after_s: z.number().min(0).default(180),
    /** Consecutive guard ticks without a believable inlet before the rack counts as blind. */
    blind_ticks: z.int().min(1).default(3),
  })
  .prefault({});
export type GuardrailConfig = z.infer<typeof Guardrail>;

export const AgentConfig = z.strictObject({
  site: SiteId.default("dc1"),
  rack_id: RackId,
  mode: Mode.default("advisory"),
  mqtt: MqttClient,
  sensors: Sensors,
  loop: z
    .strictObject({
      sample_s: z.number().positive().default(1),
      score_s: z.number().positive().default(5),
    })
    .refine((l) => l.score_s >= l.sample_s, { path: ["score_s"], error: "score_s ≥ sample_s" })
    .prefault({}),
  limits: Limits,
  guardrail: Guardrail,
  actuators: AgentActuators,
  /** What drives the targets; a target that no device drives is only advised. */
  drives: Drives,
  model: z
    .strictObject({
      /** The last good model is kept here and used at the next start, with or without network. */
      cache_dir: z.string().default("data/agent"),
      /** A model file to start from when the cache is empty. */
      file: z.string().optional(),
      /** What healthy sensors look like (skadi-aggregator train-health). Without it fewer faults are seen. */
      health_file: z.string().optional(),
    })
    .prefault({}),
  trust: z
    .strictObject({
      /** The site's public key (PEM). Without it every command is refused and models are checked by hash only. */
      public_key_file: z.string().optional(),
    })
    .prefault({}),
  uplink: z.strictObject({ outbox_max: z.int().min(10).default(20_000) }).prefault({}),
  log: Log,
});
export type AgentConfig = z.infer<typeof AgentConfig>;

/** The site's supply air: the setpoint it is run at, and how far and how fast the optimizer may move it. */
const Supply = z
  .strictObject({
    /** Whether a simulated site's supply air may be driven; a real site's is only advised. */
    drive: z.boolean().default(true),
    design_c: z.number().default(19.4),
    /** Slow fans breathe little recirculated air: at this supply their inlets are those of the design. */
    min: z.number().default(20.5),
    max: z.number().default(26),
    /** The largest change of one plan: towards the warm side, and towards the cool, safe one. */
    step_max: z.number().positive().default(0.5),
    step_down_max: z.number().positive().default(6),
    /** How fast the delivered air follows its setpoint. */
    lag_s: z.number().positive().default(90),
  })
  .refine(maxAboveMin, MAX_ABOVE_MIN)
  .refine((s) => s.design_c <= s.max, { path: ["design_c"], error: "a value up to max" })
  .prefault({});

/** What the optimizer knows from data sheets, because telemetry does not show it. */
const Equipment = z
  .strictObject({
    fan_full_kw: z.number().positive().default(0.95),
    pump_full_kw: z.number().positive().default(0.35),
    /** Chillers of the air and the water side, at the reference temperature; gain per K of warmer supply. */
    air_cop: z.number().positive().default(4.5),
    water_cop: z.number().positive().default(11),
    cop_per_k: z.number().min(0).max(0.1).default(0.025),
    cop_ref_c: z.number().default(20),
    water_c: z.number().default(25),
    capacity_tokens_ps: z.number().positive().default(18_000),
    /** The batching window that racks use when none is set. */
    batch_window_ms: z.number().min(0).default(20),
  })
  .prefault({});

export const AggregatorConfig = z.strictObject({
  site: SiteId.default("dc1"),
  rows: z
    .array(z.string().regex(/^[A-Z]{1,2}$/))
    .min(1)
    .default(["A", "B", "C", "D", "E", "F"]),
  racks_per_row: z.int().min(1).max(999).default(12),
  mode: Mode.default("advisory"),
  data_dir: z.string().default("data"),
  limits: Limits,
  /** What the optimizer and operators may ask for; every agent enforces its own limits besides. */
  actuators: Actuators,
  broker: z
    .strictObject({
      embedded: z.boolean().default(true),
      host: z.string().default("127.0.0.1"),
      port: Port.default(1883),
      /** Used when `embedded` is false. */
      external: MqttClient,
    })
    .prefault({}),
  http: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: Port.default(8000),
      requests_per_minute: z.int().positive().default(6_000),
    })
    .prefault({}),
  mms: z
    .strictObject({
      ema_alpha: z.number().positive().max(1).default(0.3),
      ticks: z.int().min(1).default(6),
    })
    .prefault({}),
  optimizer: z
    .strictObject({
      interval_s: z.number().positive().default(120),
      /** Nothing is optimised while p95 exceeds this share of its limit. */
      latency_guard_share: z.number().positive().max(1).default(0.95),
      /** `predictive`: models and a linear program, falling back to `described` where the models are not good enough. */
      policy: z.enum(["predictive", "described"]).default("predictive"),
      /** The solver's patience. */
      time_limit_s: z.number().positive().default(10),
      /** Distance that the agents' guardrail keeps from the inlet's limit (its inlet_margin_c). */
      inlet_margin_c: z.number().min(0).default(0.5),
      supply: Supply,
      equipment: Equipment,
    })
    .prefault({}),
  store: z
    .strictObject({
      flush_ms: z.int().min(1).default(250),
      raw_days: z.number().positive().default(7),
      rollup_days: z.number().positive().default(400),
    })
    .prefault({}),
  kpi: z
    .strictObject({
      /** How many tokens one prompt takes, prompt and answer together: turns J per token into Wh per prompt. */
      tokens_per_prompt: z.number().positive().default(2_240),
      baseline_wh_per_prompt: z.number().positive().default(0.6),
    })
    .prefault({}),
  log: Log,
});
export type AggregatorConfig = z.infer<typeof AggregatorConfig>;

export const SimConfig = z.strictObject({
  site: SiteId.default("dc1"),
  racks: z.int().min(1).max(5_000).default(72),
  speed: z.number().positive().max(1_000).default(1),
  seed: z.int().default(42),
  mode: Mode.default("advisory"),
  data_dir: z.string().default("data/demo"),
  mqtt: MqttClient,
  http_port: Port.default(8000),
  mqtt_port: Port.default(1883),
  /** Hours of nominal operation that a model is trained on when there is none. */
  training_hours: z.number().positive().max(720).default(24),
  log: z.strictObject({ level: z.enum(LOG_LEVELS).default("warn") }).prefault({}),
});
export type SimConfig = z.infer<typeof SimConfig>;
