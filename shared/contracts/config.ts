import * as z from "zod";
import { LOG_LEVELS } from "../log-levels.ts";
import { Mode } from "./action.ts";
import { LIMITS, Limits, Log, limitsOf, MAX_ABOVE_MIN, MqttClient, maxAboveMin } from "./config-parts.ts";
import { SiteId } from "./rack.ts";

const Port = z.int().min(0).max(65_535);

const actuatorLimits = (...of: Parameters<typeof limitsOf>) =>
  z
    .strictObject(limitsOf(...of))
    .refine(maxAboveMin, MAX_ABOVE_MIN)
    .prefault({});

const Actuators = z
  .strictObject({
    fan_rpm_pct: actuatorLimits(...LIMITS.fan_rpm_pct),
    pump_rpm_pct: actuatorLimits(...LIMITS.pump_rpm_pct),
    routing_weight_pct: actuatorLimits(...LIMITS.routing_weight_pct),
    admission_pct: actuatorLimits(...LIMITS.admission_pct),
    batch_window_ms: actuatorLimits(...LIMITS.batch_window_ms),
    power_cap_kw: actuatorLimits(...LIMITS.power_cap_kw),
  })
  .prefault({});
export type Actuators = z.infer<typeof Actuators>;

/** Its shape alone; whether it makes sense, the scheduler says. */
const Cron = z
  .string()
  .regex(/^(off|\S+(\s+\S+){4,5})$/, 'a cron expression of five or six fields, or "off"');

const TimeZone = z.string().refine(isTimeZone, "an IANA time zone, e.g. Europe/Zurich");

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const Severities = z.enum(["info", "warning", "critical"]);

/** Who is told of incidents. Secrets are better given as SKADI_NOTIFY_* variables than in the file. */
const Notify = z
  .strictObject({
    min_severity: Severities.default("warning"),
    /** An incident below critical must have stood this long before anybody is told. */
    hold_s: z.number().min(0).default(60),
    /** Messages per channel in an hour at most; beyond that, and when many wait, they come as one digest. */
    per_hour: z.int().positive().default(20),
    digest_from: z.int().min(2).default(4),
    /** Attempts per message, the first included; the wait doubles from `retry_s` to ten minutes. */
    attempts: z.int().min(1).max(20).default(8),
    retry_s: z.number().positive().default(2),
    /** Retained on skadi/v1/<site>/incidents/<id> while open. */
    mqtt: z.boolean().default(true),
    webhook: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }).optional(),
        /** Signs the body: X-Skadi-Signature: sha256=<HMAC in hex>. */
        secret: z.string().min(16).optional(),
        timeout_s: z.number().positive().default(10),
      })
      .prefault({}),
    email: z
      .strictObject({
        /** smtp://user:password@host:587 or smtps://… */
        smtp_url: z.url({ protocol: /^smtps?$/ }).optional(),
        from: z.string().default("skadi@localhost"),
        to: z.array(z.email()).default([]),
        timeout_s: z.number().positive().default(20),
      })
      .prefault({}),
  })
  .prefault({});
export type NotifyConfig = z.infer<typeof Notify>;

/** What telemetry does not show of the site's energy is modelled by these; see docs/savings.md. */
const Savings = z
  .strictObject({
    /** One rack's pump at full speed: rack power meters do not see it. */
    pump_full_kw: z.number().min(0).default(0.35),
    /** One rack's fans at full speed, for the heat that its air carries: ρ·c_p·flow in kW per K. */
    air_kw_per_k: z.number().positive().default(0.43),
    /** Chillers of air and water: COP at `cop_ref_c`, and its relative change per K of delivered temperature. */
    air_cop: z.number().positive().default(4.5),
    water_cop: z.number().positive().default(11),
    cop_per_k: z.number().min(0).default(0.025),
    cop_ref_c: z.number().default(20),
    /** The supply air where nothing else was set, and the water's temperature. */
    supply_c: z.number().default(19.4),
    water_c: z.number().default(25),
    /** Air-handler blowers per rack. */
    blower_kw: z.number().min(0).default(0.14),
    /** How far back the unoptimised operation may lie that a saving is measured against. */
    training_days: z.number().positive().default(28),
    /**
     * Every other block of so many hours the optimizer hands everything back and pauses, so that its saving is measured
     * against the same hours of other days; 0: never.
     */
    switchback_h: z.union([0, 1, 2, 3, 4, 6, 8, 12, 24].map((hours) => z.literal(hours))).default(0),
  })
  .prefault({});
export type SavingsConfig = z.infer<typeof Savings>;

/** How a new model reaches the racks; docs/model-updates.md has the gates' formulas. */
const Rollout = z
  .strictObject({
    /** Racks that get a model first, spread over the rows: this share of the site, at least so many. */
    canary_share: z.number().gt(0).max(1).default(0.05),
    canary_min: z.int().min(1).default(4),
    /** What part of the site has the model after each further wave; the last one is everybody. */
    wave_shares: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .default([0.25, 0.5, 1])
      .refine((shares) => shares.at(-1) === 1 && shares.every((share, i) => share > (shares[i - 1] ?? 0)), {
        error: "rising shares, the last one 1",
      }),
    /** How long a wave is watched; up to four times that where there is too little to judge. */
    soak_s: z.number().positive().default(900),
    /** Agents that are online answer a model within this time, or count as faulty. */
    answer_s: z.number().positive().default(60),
    /** How far back a rack's own time before goes. */
    baseline_s: z.number().positive().default(3_600),
    gates: z
      .strictObject({
        /** Chance that a gate stops a model that changes nothing, per wave. */
        error_level: z.number().gt(0).max(0.2).default(0.01),
        /** Rise of the share of scores that alarm which is put up with, significant or not. */
        alarm_rise_max: z.number().min(0).max(1).default(0.01),
        /** Rise of the population stability index of D / tau_fast which is put up with. */
        d_shift_max: z.number().min(0).default(0.25),
        /** Share of a wave's racks that may refuse the model, stay silent or go offline; one always may. */
        agent_errors_max: z.number().min(0).max(1).default(0.1),
        /** Scores of one rack below which its share says nothing. */
        scores_min: z.int().min(1).default(60),
      })
      .prefault({}),
  })
  .prefault({});
export type RolloutConfig = z.infer<typeof Rollout>;

/** When operation counts as drifted; docs/drift.md has the formulas. */
const Drift = z
  .strictObject({
    /** Operation that is compared with what the model learnt. */
    window_h: z.number().min(1).default(24),
    /** Hours of the day at least that both sides must have. */
    hours_min: z.int().min(1).max(24).default(20),
    /** Population stability index from which on drift is moderate, and major. */
    moderate_psi: z.number().positive().default(0.1),
    major_psi: z.number().positive().default(0.25),
    /** The chance that a check finds drift, on each level of site, rows and racks, where there is none. */
    false_alarm: z.number().gt(0).max(0.2).default(0.01),
    /** So many checks in a row that find the site in major drift start a retraining; 0: never. */
    retrain_after: z.int().min(0).default(2),
  })
  .prefault({});

const Retraining = z
  .strictObject({
    /** How far back stored telemetry is learnt from; besides all of it, its last `recent_days` and last day are tried. */
    days: z.number().positive().default(7),
    recent_days: z.number().positive().default(2),
    /** The end of it is held back from training, to judge on; at most a quarter of what is stored. */
    holdback_h: z.number().positive().default(12),
    /** Held-back nominal operation below which nothing is offered. */
    rack_days_min: z.number().min(0).default(1),
    /** Physical anomalies that a candidate may see fewer of than the active model, as a share. */
    detection_loss_max: z.number().min(0).max(1).default(0.05),
    clusters: z.int().min(1).max(4096).default(8),
    /** Rows learnt from at most. */
    rows_max: z.int().min(1_000).default(500_000),
    /** Also tries a model for each row. */
    per_row: z.boolean().default(true),
    /** An incident of the whole site that nobody confirmed counts as operation; only those that people rejected, else. */
    site_incidents: z.boolean().default(false),
    /** Rolls a candidate that beat the active model out by itself, gated as any other. */
    auto_promote: z.boolean().default(false),
    /** After a retraining for drift, the next one for drift waits so long. */
    pause_h: z.number().min(0).default(20),
    /** Files of retrained models that are kept besides those in use. */
    keep: z.int().min(1).default(10),
  })
  .prefault({});

const Models = z
  .strictObject({
    /** A manifest is issued again at half this age; agents call an older one stale. */
    manifest_ttl_h: z.number().positive().default(24),
    /** Models travel in the manifest while they are no larger together. */
    inline_max_bytes: z.int().min(0).max(131_072).default(65_536),
    /** How long agents trust the previous key after a rotation: those that are offline must come back within it. */
    key_overlap_days: z.number().positive().default(30),
    rollout: Rollout,
  })
  .prefault({});
export type ModelsConfig = z.infer<typeof Models>;

/** One level of an MQTT topic, as Sparkplug wants its ids. */
const SparkplugId = z.string().regex(/^[^/+#]{1,64}$/, "1–64 characters without /, + and #");

/** What other systems are told over MQTT; nothing unless it is enabled. */
const Outputs = z
  .strictObject({
    /** Retained discovery messages, on the aggregator's broker. */
    home_assistant: z
      .strictObject({
        enabled: z.boolean().default(false),
        discovery_prefix: z
          .string()
          .regex(/^[^+#\s]{1,64}$/, "a topic without +, # and spaces")
          .default("homeassistant"),
        /** How often the site's figures are published. */
        interval_s: z.number().positive().default(30),
      })
      .prefault({}),
    /** A Sparkplug B edge node with the racks as its devices. */
    sparkplug: z
      .strictObject({
        enabled: z.boolean().default(false),
        group_id: SparkplugId.default("skadi"),
        /** Default: the site. */
        edge_node_id: SparkplugId.optional(),
        interval_s: z.number().positive().default(10),
        /** Default: the aggregator's own broker. */
        url: z.url({ protocol: /^(mqtts?|wss?|tcp|tls)$/ }).optional(),
        username: z.string().optional(),
        password: z.string().optional(),
      })
      .prefault({}),
  })
  .prefault({});
/** OpenTelemetry traces of HTTP requests and MQTT messages, by OTLP over HTTP; none without an address. */
const Traces = z
  .strictObject({
    otlp_url: z.url({ protocol: /^https?$/ }).optional(),
    /** For the collector; better given as SKADI_TRACES_BEARER_TOKEN. */
    bearer_token: z.string().optional(),
    /** Share of the traces that are kept, of those that begin here. */
    sample_ratio: z.number().min(0).max(1).default(0.1),
  })
  .prefault({});

/** The site's supply air: how far and how fast the optimizer may move it from where it is run (savings.supply_c). */
const Supply = z
  .strictObject({
    /** Whether a simulated site's supply air may be driven; a real site's is only advised. */
    drive: z.boolean().default(true),
    min: z.number().default(19),
    max: z.number().default(26),
    /** The largest change of one plan: towards the warm side, and towards the cool, safe one. */
    step_max: z.number().positive().default(0.5),
    step_down_max: z.number().positive().default(6),
    /** How fast the delivered air follows its setpoint. */
    lag_s: z.number().positive().default(90),
  })
  .refine(maxAboveMin, MAX_ABOVE_MIN)
  .prefault({});

/** What the optimizer knows from data sheets besides what `savings` says of pumps and chillers. */
const Equipment = z
  .strictObject({
    fan_full_kw: z.number().positive().default(0.95),
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
      /** `floor`: smoothing and hysteresis, as described. `likelihood`: a sequential test with stated error rates. */
      mode: z.enum(["floor", "likelihood"]).default("floor"),
      ema_alpha: z.number().positive().max(1).default(0.3),
      ticks: z.int().min(1).default(6),
      /** For `likelihood`: on average at most this many in nominal operation. */
      false_alarms_per_rack_day: z.number().positive().max(10).default(0.01),
      /** The chance at most that an anomaly that lasts is taken for over. */
      miss_rate: z.number().positive().max(0.5).default(0.01),
      /** How often a rack is scored. */
      score_interval_s: z.number().positive().default(5),
    })
    .prefault({}),
  incidents: z
    .strictObject({
      /** Alarms of one row this close together may be one incident. */
      correlation_s: z.number().positive().default(900),
      /** From this many racks on it is the row's incident; from this many rows on the site's. */
      row_racks: z.int().min(2).default(3),
      site_rows: z.int().min(2).default(3),
      /** Closed when every rack has been well for this long; reopened if an alarm comes back within that. */
      close_after_s: z.number().min(0).default(600),
      reopen_s: z.number().min(0).default(1_800),
    })
    .prefault({}),
  notify: Notify,
  outputs: Outputs,
  traces: Traces,
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
      /** Readings that an agent averages into one sample (its loop.score_s ÷ loop.sample_s). */
      readings_per_sample: z.int().positive().default(5),
      supply: Supply,
      equipment: Equipment,
    })
    .prefault({}),
  actions: z
    .strictObject({
      /** Setpoints of one device leave no closer together than this, whoever asks; rollbacks excepted. */
      device_spacing_s: z.number().min(0).default(120),
    })
    .prefault({}),
  savings: Savings,
  models: Models,
  drift: Drift,
  retraining: Retraining,
  store: z
    .strictObject({
      flush_ms: z.int().min(1).default(250),
      raw_days: z.number().positive().default(7),
      rollup_days: z.number().positive().default(400),
    })
    .prefault({}),
  schedules: z
    .strictObject({
      /** Of the cron expressions, and of the reports' days. */
      timezone: TimeZone.default("UTC"),
      /** Writes the report of the day before. */
      report: Cron.default("10 0 * * *"),
      /** Trains candidates on the stored telemetry, and has them compete with the active model. */
      retrain: Cron.default("30 2 * * 0"),
      /** Compares the last hours with what the active model learnt. */
      drift: Cron.default("40 */3 * * *"),
      /** Deletes what is past its retention. */
      retention: Cron.default("17 * * * *"),
      rollups: Cron.default("* * * * *"),
      report_days: z.int().positive().default(90),
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
  /** The hour of the simulated users' day at the start; default: the present one, UTC. */
  start_hour: z.number().min(0).max(24).optional(),
  /** How much warmer it is outdoors than when the first model was trained, K. */
  season_k: z.number().min(-20).max(20).default(0),
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
