import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { Action, RackTarget } from "../shared/contracts/action.ts";
import type { AgentConfig } from "../shared/contracts/config.ts";
import type { HealthDescription } from "../shared/contracts/health.ts";
import type { Ack, CommandBody, Status } from "../shared/contracts/messages.ts";
import { parseValue } from "../shared/contracts/parse.ts";
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
import { driveThroughGate, type GateResult, readSetpoints, withTimeout } from "./actuators/gate.ts";
import { commandGate } from "./commands.ts";
import { type GuardInput, guard, initialGuardState } from "./guardrail/guardrail.ts";
import { type Heat, heatOf } from "./guardrail/heat.ts";
import { createSupervisor, type Supervised } from "./health.ts";
import { openModelSlot } from "./model-slot.ts";
import type { SensorDriver } from "./sensors/driver.ts";
import { standingOrders } from "./standing-orders.ts";
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

/** A sensor driver that has not answered by then is asked again. */
const READ_PATIENCE_MS = 10_000;

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
  let mms_state: MmsState = "transient";
  let guard_state = initialGuardState(guard_context);
  let setpoints: Record<RackTarget, number | null>;
  const driven_at_ms = new Map<RackTarget, number>();
  /** Since when a read is waited for; null: none is. */
  let reading_since_ms: number | null = null;
  let last_tick_ms: number | null = null;
  let driving = Promise.resolve();
  const stops: (() => void)[] = [];

  const models = openModelSlot({
    cache_file: join(config.model.cache_dir, `${rack_id}.manifest.json`),
    model_file: config.model.file,
    public_key,
    onProblem: (rejections, where) => log.warn({ event: "model_refused", where, rejections }),
  });
  const orders = standingOrders(join(config.model.cache_dir, `${rack_id}.orders.json`), config.mode, log);
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
      mode: orders.mode(),
      model_id: models.scorer?.model.id ?? null,
    };
    return JSON.stringify(message);
  };
  const uplink = mqttUplink({ site, rack_id, mqtt: config.mqtt, outbox, log, status, onCommand, onModel });

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
    // A driver that is slower than the sampling interval is asked again when it has answered, or has failed to.
    if (reading_since_ms !== null && clock.now() - reading_since_ms < READ_PATIENCE_MS) return;
    if (reading_since_ms !== null) sensorFailed(`no answer within ${READ_PATIENCE_MS / 1000} s`);
    const asked_ms = clock.now();
    reading_since_ms = asked_ms;
    try {
      const read = await sensors.read();
      // An answer that was given up on belongs to a time that is over.
      if (reading_since_ms !== asked_ms) return;
      window.add(read);
      stats.samples++;
    } catch (error) {
      sensorFailed(String(error));
    }
    if (reading_since_ms === asked_ms) reading_since_ms = null;
  }

  function sensorFailed(reason: string): void {
    stats.sensor_errors++;
    log.warn({ event: "sensor_read_failed", driver: sensors.name, reason });
  }

  function tick(): void {
    const now_ms = clock.now();
    const interval_ms = config.loop.score_s * 1000;
    if (last_tick_ms !== null && now_ms - last_tick_ms > 1.5 * interval_ms) stats.late_ticks++;
    last_tick_ms = now_ms;
    const closed = window.close();
    const sample = closed && toTelemetry(closed);
    const supervised = sample && closed ? supervise(closed.at_ms, sample) : null;
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

  /** null for what no reader would accept, such as the readings of a host whose clock was never set. */
  function toTelemetry({ at_ms, interval_s, values, quality }: WindowSample): TelemetrySample | null {
    const sample = { v: 1, ts: isoTime(at_ms), rack_id, seq: ++seq, interval_s, ...values, quality };
    const parsed = parseValue(TelemetrySample, sample);
    if (parsed.ok) return parsed.value;
    log.error({ event: "sample_unusable", rejections: parsed.rejections });
    return null;
  }

  /** Supervision may find fault with a sensor; its own fault must not cost the rack its guard. */
  function supervise(at_ms: number, sample: TelemetrySample): Supervised {
    try {
      return supervisor.check(at_ms, sample, setpoints);
    } catch (error) {
      log.error({ event: "supervision_failed", err: error });
      return { sample, guarded: sample, departure: null, sensors: [], news: null };
    }
  }

  function scored({ sample, departure, sensors }: Supervised): Score | null {
    const score = models.scorer ? scoreTelemetry(models.scorer, believed(sample), "agent") : null;
    if (!score) return null;
    return { ...score, ...(departure && { departure }), ...(sensors.length > 0 && { sensors }) };
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
    const used_mode = orders.mode();
    const request = { target: wish.target, value: wish.to, mode: used_mode };
    const result = tooSoon(wish) ?? (await driveThroughGate(actuators, config.actuators, request, clock));
    if (result.now !== undefined) {
      setpoints = { ...setpoints, [wish.target]: result.now };
      driven_at_ms.set(wish.target, clock.now());
    }
    // The guardrail would repeat itself every minute; a command is always answered.
    const advice = result.outcome === "advised" && wish.source === "guardrail";
    if (advice && !isNews(clock.now(), wish.kind, wish.target)) return;
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

  /** At most one action per target in a while, whoever asks; the guardrail keeps its own, stricter account. */
  function tooSoon(wish: Wish): GateResult | undefined {
    if (wish.source === "guardrail") return undefined;
    const spacing_s = config.guardrail.action_spacing_s;
    if (clock.now() - (driven_at_ms.get(wish.target) ?? -Infinity) >= spacing_s * 1000) return undefined;
    const detail = {
      field: wish.target,
      value: wish.to,
      expected: `one action per target in ${spacing_s} s`,
    };
    return {
      outcome: "refused",
      from: setpoints[wish.target],
      rejection: reject("SKADI_RATE_LIMITED", detail),
    };
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
        orders.set({ mode: body.mode, kill_switch: body.kill_switch });
        log.info({ event: "mode", mode: body.mode, kill_switch: body.kill_switch });
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

  async function failSafe(): Promise<void> {
    try {
      await withTimeout(actuators.failSafe(), clock);
    } catch (error) {
      log.error({ event: "fail_safe_failed", err: error });
    }
  }

  return {
    async start() {
      await sensors.open();
      setpoints = await readSetpoints(actuators, clock, (target, error) =>
        log.error({ event: "setpoint_unknown", target, err: error }),
      );
      uplink.start();
      const started = { site, rack_id, driver: sensors.name, actuators: actuators.name, mode: orders.mode() };
      log.info({ event: "agent_started", ...started, fields: MEASURED_FIELDS.length });
      stops.push(clock.every(config.loop.sample_s * 1000, () => void sample()));
      stops.push(clock.every(config.loop.score_s * 1000, tick));
    },
    async stop() {
      for (const stop of stops.splice(0)) stop();
      await driving;
      if (orders.mode() === "closed_loop") await failSafe();
      await uplink.stop();
      await sensors.close();
      await actuators.close();
      log.info({ event: "agent_stopped", ...stats });
    },
    stats: () => ({ ...stats, published: uplink.delivered, outbox: outbox.size, dropped: outbox.dropped }),
  };
}
