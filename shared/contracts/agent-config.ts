import * as z from "zod";
import { Mode } from "./action.ts";
import { LIMITS, Limits, Log, limitsOf, MAX_ABOVE_MIN, MqttClient, maxAboveMin } from "./config-parts.ts";
import { Drives, Sensors } from "./devices/index.ts";
import { RackId, SiteId } from "./rack.ts";

/** On the rack itself also where the target is left when nobody looks after it any more. */
const drivenLimits = (...of: Parameters<typeof limitsOf>) =>
  z
    .strictObject({ ...limitsOf(...of), fail_safe: z.number().optional() })
    .refine(maxAboveMin, MAX_ABOVE_MIN)
    .refine((a) => a.fail_safe === undefined || (a.fail_safe >= a.min && a.fail_safe <= a.max), {
      path: ["fail_safe"],
      error: "a value from min to max",
    })
    .prefault({});

const AgentActuators = z
  .strictObject({
    fan_rpm_pct: drivenLimits(...LIMITS.fan_rpm_pct),
    pump_rpm_pct: drivenLimits(...LIMITS.pump_rpm_pct),
    routing_weight_pct: drivenLimits(...LIMITS.routing_weight_pct),
    admission_pct: drivenLimits(...LIMITS.admission_pct),
    batch_window_ms: drivenLimits(...LIMITS.batch_window_ms),
    power_cap_kw: drivenLimits(...LIMITS.power_cap_kw),
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
    /** While this file exists nothing is driven, whatever mode and commands say. */
    kill_switch_file: z.string().min(1).default("/etc/skadi/kill-switch"),
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
      /** The last good model and the one before it are kept here and used at the next start, with or without network. */
      cache_dir: z.string().default("data/agent"),
      /** A model file to start from when the cache is empty. */
      file: z.string().optional(),
      /** What healthy sensors look like (skadi-aggregator train-health). Without it fewer faults are seen. */
      health_file: z.string().optional(),
      /** How long one attempt waits for the parts of a model that is too large for its manifest. */
      parts_wait_s: z.number().positive().default(30),
      /** A model is refused if more of its features than this have no working sensor on this rack. */
      missing_features_max: z.int().min(0).default(7),
      /** When the rack's own last hour speaks against a model. */
      shadow: z
        .strictObject({
          /** With fewer scored samples it says nothing. */
          samples_min: z.int().min(1).default(120),
          /** A model is refused that alarms on more than this share of them … */
          alarm_share_max: z.number().min(0).max(1).default(0.5),
          /** … while the present one alarms on less than this. */
          present_share_max: z.number().min(0).max(1).default(0.1),
        })
        .prefault({}),
    })
    .prefault({}),
  trust: z
    .strictObject({
      /**
       * The site's public key (PEM), trusted until the site announces others with a signature of it. Without it every
       * command is refused and models are checked by hash only.
       */
      public_key_file: z.string().optional(),
    })
    .prefault({}),
  uplink: z
    .strictObject({
      /** `memory` is for simulated racks: it loses on a restart what the broker has not acknowledged. */
      store: z.enum(["disk", "memory"]).default("disk"),
      /** Where the outbox is kept; default: model.cache_dir. */
      dir: z.string().optional(),
      /** Messages kept while the broker is away. */
      outbox_max: z.int().min(10).default(100_000),
      disk_max_mb: z.number().min(1).default(128),
      /** Telemetry and scores per second, at most, when the broker is back. */
      catch_up_per_s: z.number().positive().default(100),
    })
    .prefault({}),
  /** A Prometheus page at http://<host>:<port>/metrics; without a port there is none. */
  metrics: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port: z.int().min(0).max(65_535).optional(),
    })
    .prefault({}),
  log: Log,
});
export type AgentConfig = z.infer<typeof AgentConfig>;
