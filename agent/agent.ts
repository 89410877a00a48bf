import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { Action, Mode, RackTarget } from "../shared/contracts/action.ts";
import type { AgentConfig } from "../shared/contracts/config.ts";
import type { HealthDescription } from "../shared/contracts/health.ts";
import type { Ack, CommandBody, Status } from "../shared/contracts/messages.ts";
import type { MmsState, Score } from "../shared/contracts/score.ts";
import { MEASURED_FIELDS, TelemetrySample } from "../shared/contracts/telemetry.ts";
import { type Rejection, reject } from "../shared/errors.ts";
import { believed } from "../shared/ims/believed.ts";
import { toFeatures } from "../shared/ims/features.ts";
import { readHealthFile } from "../shared/ims/health-file.ts";
import { scoreTelemetry } from "../shared/ims/score.ts";
import type { Log } from "../shared/log.ts";
import { type Clock, isoTime } from "../shared/time.ts";
import { packageVersion } from "../shared/version.ts";
import { adviceFilter } from "./actuators/advice.ts";
import type { ActuatorDriver } from "./actuators/driver.ts";
import { driveThroughGate, readSetpoints } from "./actuators/gate.ts";
import { commandGate } from "./commands.ts";
import { type GuardInput, guard, initialGuardState } from "./guardrail/guardrail.ts";
import { type Heat, heatOf } from "./guardrail/heat.ts";
import { createSupervisor, type Supervised } from "./health.ts";
import { openModelSlot } from "./model-slot.ts";
import type { SensorDriver } from "./sensors/driver.ts";
import { memoryOutbox } from "./uplink/outbox.ts";
import { mqttUplink } from "./uplink/uplink.ts";
import { sampleWindow, type WindowSample } from "./window.ts";

export interface AgentOptions {
  config: AgentConfig;
  clock: Clock;
  log: Log;
  sensors: SensorDriver;
  actuators: ActuatorDriver;
  /** The site's key, from config.trust.public_key_file; null: no command is accepted. */
  public_key: KeyObject | null;
}

export interface AgentStats {
  /** Reads of the sensors. */
  samples: number;
  /** Telemetry messages handed to the uplink, each the mean of several reads. */
  samples_sent: number;
  sensor_errors: number;
  scores: number;
  guard_ticks: number;
  /** Guard ticks that came later than half an interval. */
  late_ticks: number;
  actions: number;
  published: number;
  outbox: number;
  dropped: number;
  model_swaps: number;
}

export interface Agent {
  start(): Promise<void>;
  stop(): Promise<void>;
  stats(): AgentStats;
}

const UNKNOWN_HEAT: Heat = { inlet_z: null, outlet_z: null };

/** One rack's agent: sample → score → guard → publish. The network is never on this path. */
export function createAgent(options: AgentOptions): Agent {
  const { config, clock, log, sensors, actuators, public_key } = options;
  const { site, rack_id } = config;
  const guard_context = { config: config.guardrail, limits: config.limits, actuators: config.actuators };
  const stats = {
    samples: 0,
    samples_sent: 0,
    sensor_errors: 0,
    scores: 0,
    guard_ticks: 0,
    late_ticks: 0,
    actions: 0,
    model_swaps: 0,
  };
  const window = sampleWindow();
  const isNews = adviceFilter();
  // Milliseconds of the wall clock: above every number of an earlier run, without having to store it.
  const started_ms = Date.now();
  let seq = started_ms;
  let mode: Mode = config.mode;
  let kill_switch = false;
  let mms_state: MmsState = "transient";
  let guard_state = initialGuardState(guard_context);
  let setpoints: Record<RackTarget, number | null>;
  const driven_at_ms = new Map<RackTarget, number>();
  let reading = false;
  let last_tick_ms: number | null = null;
  let driving = Promise.resolve();
  const stops: (() => void)[] = [];

  const models = openModelSlot({
    cache_file: join(config.model.cache_dir, `${rack_id}.manifest.json`),
    model_file: config.model.file,
    public_key,
    onProblem: (rejections, where) => log.warn({ event: "model_refused", where, rejections }),
  });
  const supervisor = createSupervisor(
    healthDescription(),
    config.limits.inlet_c - config.guardrail.inlet_margin_c,
  );
  const acceptCommand = commandGate({ rack_id, public_key, wall_ms: Date.now });
  const outbox = memoryOutbox(config.uplink.outbox_max);
  const status = (state: "online" | "offline"): string => {
    const message: Status = {
      v: 1,
      ts: isoTime(clock.now()),
      rack_id,
      state,
      agent_version: packageVersion(),
      driver: sensors.name,
      mode: effectiveMode(),
      model_id: models.scorer?.model.id ?? null,
    };
    return JSON.stringify(message);
  };
  const uplink = mqttUplink({ site, rack_id, mqtt: config.mqtt, outbox, log, status, onCommand, onModel });

  function effectiveMode(): Mode {
    return kill_switch ? "advisory" : mode;
  }

  /** Without one, or with one that cannot be used, sensors are checked for what needs no learning. */
  function healthDescription(): HealthDescription | null {
    const file = config.model.health_file;
    if (!file) return null;
    const health = readHealthFile(file);
    if (health.ok) return health.value;
    log.warn({ event: "health_refused", where: file, rejections: health.rejections });
    return null;
  }

  async function sample(): Promise<void> {
    // A driver that is slower than the sampling interval is asked again when it has answered.
    if (reading) return;
    reading = true;
    try {
      window.add(await sensors.read());
      stats.samples++;
    } catch (error) {
      stats.sensor_errors++;
      log.warn({ event: "sensor_read_failed", driver: sensors.name, reason: String(error) });
    } finally {
      reading = false;
    }
  }

  function tick(): void {
    const now_ms = clock.now();
    const interval_ms = config.loop.score_s * 1000;
    if (last_tick_ms !== null && now_ms - last_tick_ms > 1.5 * interval_ms) stats.late_ticks++;
    last_tick_ms = now_ms;
    const closed = window.close();
    const supervised = closed ? supervisor.check(closed.at_ms, toTelemetry(closed), setpoints) : null;
    if (supervised?.news) log.warn({ event: "sensors", troubled: supervised.news });
    const telemetry = supervised?.sample ?? null;
    const score = supervised ? scored(supervised) : null;
    protect(now_ms, supervised?.guarded ?? null, score);
    if (telemetry) {
      stats.samples_sent++;
      uplink.send("telemetry", telemetry);
    }
    if (score) {
      stats.scores++;
      uplink.send("score", score);
    }
  }

  function toTelemetry(closed: WindowSample): TelemetrySample {
    const { at_ms, interval_s, values } = closed;
    return TelemetrySample.parse({ v: 1, ts: isoTime(at_ms), rack_id, seq: ++seq, interval_s, ...values });
  }

  function scored({ sample, departure }: Supervised): Score | null {
    const score = models.scorer ? scoreTelemetry(models.scorer, believed(sample), "agent") : null;
    return score && departure ? { ...score, departure } : score;
  }

  function protect(now_ms: number, telemetry: TelemetrySample | null, score: Score | null): void {
    stats.guard_ticks++;
    const input: GuardInput = {
      now_ms,
      inlet_c: telemetry?.inlet_c ?? null,
      heat: telemetry && models.scorer ? heatOf(models.scorer.model, toFeatures(telemetry)) : UNKNOWN_HEAT,
      d: score?.d ?? null,
      tau_fast: score?.tau_fast ?? null,
      mms_state,
      setpoints,
      fan_rpm_pct: telemetry?.fan_rpm_pct ?? null,
      pump_rpm_pct: telemetry?.pump_rpm_pct ?? null,
    };
    const decision = guard(guard_context, guard_state, input);
    guard_state = decision.state;
    for (const intent of decision.intents) {
      const { severity, emergency, kind, target, value, reason } = intent;
      const { d, tau_fast, inlet_c, heat } = input;
      const inputs = { severity, emergency, inlet_c, ...heat, d, tau_fast, mms_state };
      drive({ source: "guardrail", kind, target, to: value, reason, inputs });
    }
  }

  type Wish = Pick<Action, "source" | "kind" | "target" | "to" | "reason" | "inputs"> & {
    target: RackTarget;
    id?: string;
  };

  /** Requests are carried out one after another, so that a read-back belongs to its own write. */
  function drive(wish: Wish): void {
    driving = driving
      .then(() => carryOut(wish))
      .catch((error: unknown) => {
        log.error({ event: "drive_failed", target: wish.target, reason: String(error) });
      });
  }

  async function carryOut(wish: Wish): Promise<void> {
    const used_mode = effectiveMode();
    const result = await driveThroughGate(actuators, config.actuators, {
      target: wish.target,
      value: wish.to,
      mode: used_mode,
    });
    if (result.outcome === "applied") {
      setpoints = { ...setpoints, [wish.target]: wish.to };
      driven_at_ms.set(wish.target, clock.now());
    }
    if (result.outcome === "advised" && !isNews(clock.now(), wish.kind, wish.target)) return;
    const action: Action = {
      v: 1,
      id: wish.id ?? `${rack_id}-${started_ms}-${stats.actions + 1}`,
      ts: isoTime(clock.now()),
      rack_id,
      source: wish.source,
      kind: wish.kind,
      target: wish.target,
      from: result.from,
      to: wish.to,
      mode: used_mode,
      outcome: result.outcome,
      reason: result.rejection ? `${wish.reason}; ${result.rejection.message}` : wish.reason,
      inputs: wish.inputs,
    };
    stats.actions++;
    log.info({ event: "action", ...action });
    uplink.send("action", action);
  }

  function onCommand(payload: Uint8Array): void {
    const command = acceptCommand(payload);
    if (!command.ok) {
      log.warn({ event: "command_refused", rejections: command.rejections });
      acknowledge("command", undefined, command.rejections);
      return;
    }
    const refused = obey(command.value.body);
    acknowledge("command", command.value.id, refused ? [refused] : []);
  }

  function obey(body: CommandBody): Rejection | undefined {
    switch (body.kind) {
      case "set_mode":
        mode = body.mode;
        kill_switch = body.kill_switch;
        log.info({ event: "mode", mode, kill_switch });
        uplink.announce();
        return undefined;
      case "mms_state":
        mms_state = body.state;
        return undefined;
      case "setpoint":
        if (guard_state.alarmed_at_ms !== null) {
          const expected = "a rack that the guardrail is not protecting";
          return reject("SKADI_CONFLICT", { field: body.target, value: body.value, expected });
        }
        if (
          clock.now() - (driven_at_ms.get(body.target) ?? -Infinity) <
          config.guardrail.action_spacing_s * 1000
        ) {
          const expected = `one action per target in ${config.guardrail.action_spacing_s} s`;
          return reject("SKADI_RATE_LIMITED", { field: body.target, value: body.value, expected });
        }
        drive({
          id: body.action_id,
          source: body.source,
          kind: body.source === "operator" ? "manual" : "optimize",
          target: body.target,
          to: body.value,
          reason: body.reason,
          inputs: {},
        });
        return undefined;
    }
  }

  function onModel(payload: Uint8Array): void {
    const offer = models.offer(payload);
    if (offer.outcome === "refused") {
      log.warn({ event: "model_refused", model_id: offer.model_id, rejections: offer.rejections });
      acknowledge("model", offer.model_id, offer.rejections);
      return;
    }
    if (offer.outcome === "swapped") {
      stats.model_swaps++;
      log.info({ event: "model_swapped", model_id: offer.model_id });
      uplink.announce();
    }
    acknowledge("model", offer.model_id, []);
  }

  function acknowledge(of: Ack["of"], ref: string | undefined, errors: Rejection[]): void {
    const ack: Ack = { v: 1, ts: isoTime(clock.now()), rack_id, of, ok: errors.length === 0, errors };
    uplink.send("ack", ref === undefined ? ack : { ...ack, ref });
  }

  return {
    async start() {
      await sensors.open();
      setpoints = await readSetpoints(actuators);
      uplink.start();
      const started = { site, rack_id, driver: sensors.name, actuators: actuators.name, mode };
      log.info({ event: "agent_started", ...started, fields: MEASURED_FIELDS.length });
      stops.push(clock.every(config.loop.sample_s * 1000, () => void sample()));
      stops.push(clock.every(config.loop.score_s * 1000, tick));
    },
    async stop() {
      for (const stop of stops.splice(0)) stop();
      await driving;
      if (effectiveMode() === "closed_loop") await actuators.failSafe();
      await uplink.stop();
      await sensors.close();
      log.info({ event: "agent_stopped", ...stats });
    },
    stats: () => ({ ...stats, published: uplink.delivered, outbox: outbox.size, dropped: outbox.dropped }),
  };
}
