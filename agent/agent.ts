import type { KeyObject } from "node:crypto";
import type { Action, RackTarget } from "../shared/contracts/action.ts";
import type { AgentConfig } from "../shared/contracts/agent-config.ts";
import type { HealthDescription } from "../shared/contracts/health.ts";
import type { Ack, CommandBody, Status } from "../shared/contracts/messages.ts";
import { parseValue } from "../shared/contracts/parse.ts";
import type { MmsState, Score } from "../shared/contracts/score.ts";
import { MEASURED_FIELDS, TelemetrySample } from "../shared/contracts/telemetry.ts";
import { type Rejection, reject } from "../shared/errors.ts";
import { believed } from "../shared/ims/believed.ts";
import { readHealthFile } from "../shared/ims/health-file.ts";
import { scoreTelemetry } from "../shared/ims/score.ts";
import { toFeatures } from "../shared/ims/to-features.ts";
import type { Log } from "../shared/log.ts";
import { type Clock, isoTime, systemClock } from "../shared/time.ts";
import { packageVersion } from "../shared/version.ts";
import { adviceFilter } from "./actuators/advice.ts";
import type { ActuatorDriver } from "./actuators/driver.ts";
import { FAIL_SAFE_TIMEOUT_S, warms } from "./actuators/fail-safe.ts";
import { driveThroughGate, type GateResult, readSetpoint, readSetpoints } from "./actuators/gate.ts";
import { uncommanded } from "./commanded.ts";
import { commandGate } from "./commands.ts";
import { withDeadline } from "./devices/deadline.ts";
import {
  type GuardInput,
  guard,
  initialGuardState,
  isProtecting,
  resumedGuardState,
  type Severity,
} from "./guardrail/guardrail.ts";
import { type Heat, heatOf } from "./guardrail/heat.ts";
import { createSupervisor, type Supervised, unsupervised } from "./health.ts";
import { journalFile, openJournal } from "./journal.ts";
import type { IntentOutcome } from "./journal-record.ts";
import { modelFiles } from "./models/cache.ts";
import { type ModelAnswer, openModelSlot } from "./models/slot.ts";
import { openTrust } from "./models/trust.ts";
import { noObserver, type Observer } from "./observer.ts";
import type { SensorDriver } from "./sensors/driver.ts";
import { ordersOf } from "./standing-orders.ts";
import { openOutbox } from "./uplink/index.ts";
import { mqttUplink } from "./uplink/uplink.ts";
import { noWatchdog, type Watchdog } from "./watchdog.ts";
import { sampleWindow, type WindowSample } from "./window.ts";

export interface AgentOptions {
  config: AgentConfig;
  clock: Clock;
  log: Log;
  sensors: SensorDriver;
  actuators: ActuatorDriver;
  /** The site's key, from config.trust.public_key_file; null: no command is accepted. */
  public_key: KeyObject | null;
  /** Publishes nothing and hears no command. */
  offline?: boolean;
  watchdog?: Watchdog;
  observer?: Observer;
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
  /** Messages that the broker has not acknowledged yet … */
  outbox: number;
  /** … and how many of them a restart would lose, because the disk cannot be written. */
  unsaved: number;
  dropped: number;
  /** Messages of a long outage that became part of a coarser one. */
  rolled_up: number;
  model_swaps: number;
}

export interface Agent {
  start(): Promise<void>;
  stop(): Promise<void>;
  stats(): AgentStats;
  /** Whether the broker can be reached. */
  readonly connected: boolean;
}

/** A sensor driver that has not answered by then is asked again. */
const READ_PATIENCE_MS = 10_000;

/**
 * Others may set a device, and one that restarts forgets what it was told: setpoints are looked at again in turn, one at
 * a time, so that no wish waits for more than one read.
 */
const LOOK_MS = 10_000;

/** How soon a device that would not take its own control back is asked again. */
const UNDO_SPACING_MS = 10_000;

/** How long stopping waits for the service manager to have heard of it. */
const GOODBYE_MS = 2_000;

const UNKNOWN_HEAT: Heat = { inlet_z: null, outlet_z: null };

/** One rack's agent: sample → score → guard → publish. The network is never on this path. */
export function createAgent(options: AgentOptions): Agent {
  const { config, clock, log, sensors, public_key, watchdog = noWatchdog, observer = noObserver } = options;
  const { site, rack_id } = config;
  const { targets: driven, without_own_control = [] } = options.actuators;
  const guard_context = {
    ...{ config: config.guardrail, limits: config.limits, actuators: config.actuators },
    ...{ driven, without_own_control },
  };
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
  const window = sampleWindow(null, config.loop.sample_s);
  const isNews = adviceFilter();
  const outbox = openOutbox(config, clock, log);
  // Milliseconds of the wall clock, but above every number of an earlier run even if the clock was set back since.
  const started_ms = Math.max(outbox.last_seq + 1, Date.now());
  let seq = started_ms;
  let mms_state: MmsState = "transient";
  let guard_state = initialGuardState(guard_context);
  let setpoints: Record<RackTarget, number | null>;
  /** Targets whose setpoint the guardrail made, in this run or an earlier one. */
  const owned = new Set<RackTarget>();
  /** Targets whose device did not do what it was last asked. */
  const failing = new Set<RackTarget>();
  /** Targets whose device is about to be asked what is in force. */
  const looked_at = new Set<RackTarget>();
  /** What each target is asked now, and whether its device was told. */
  const under_way = new Map<RackTarget, { wish: Wish; told: boolean }>();
  const driven_at_ms = new Map<RackTarget, number>();
  let severity: Severity = "none";
  let measured: Partial<Record<RackTarget, number | null | undefined>> = {};
  let undone_ms = -Infinity;
  /** Since when a read is waited for; null: none is. */
  let reading_since_ms: number | null = null;
  let last_tick_ms: number | null = null;
  /** How long the last scoring took; null: nothing was scored. */
  let score_s: number | null = null;
  /** The last request that each device was given. */
  const driving = new Map<string, Promise<unknown>>();
  let journalled: Promise<unknown> = Promise.resolve();
  const stops: (() => void)[] = [];

  const files = modelFiles(config);
  const onProblem = (rejections: Rejection[], where: string) =>
    log.warn({ event: "model_problem", where, rejections });
  const trust = openTrust({ file: files.keys, pinned: public_key, onProblem });
  const models = openModelSlot({
    rack_id,
    files,
    config: config.model,
    score_s: config.loop.score_s,
    trust,
    clock: systemClock(),
    listen: (sha256, onPart) => uplink.listenForParts(sha256, onPart),
    onAnswer,
    onSwap(model) {
      stats.model_swaps++;
      log.info({ event: "model_swapped", model_id: model.id, sha256: model.sha256 });
    },
    onNews: () => uplink.announce(),
    onKeys: (keys) => log.info({ event: "keys_changed", keys }),
    onProblem,
  });
  const journal = openJournal(journalFile(config), log);
  /** Targets that somebody set to less cooling, or more heat, in this run or an earlier one. */
  const warmed = new Set(journal.warmed());
  const orders = ordersOf(config, log, () => uplink.announce());
  /**
   * The kill switch also stops what was under way when it came: a slow read before the write may take seconds, and so
   * may an attempt before the next one.
   */
  const drivenWhile = (allowed: () => boolean, otherwise: string): ActuatorDriver => ({
    ...options.actuators,
    async write(target, value, terms) {
      // A driver asks before each attempt; one that does not is asked for here.
      if (!allowed()) throw new Error(otherwise);
      const present = under_way.get(target);
      const permit = () => {
        if (!allowed()) throw new Error(otherwise);
        if (!present || present.told) return;
        present.told = true;
        // Neither before the device is told, whatever the disk does, nor after it has answered, which may take seconds.
        setImmediate(() => {
          if (under_way.get(target) === present) noteTold(present.wish);
        });
      };
      await options.actuators.write(target, value, { ...terms, permit });
    },
  });
  const actuators = drivenWhile(() => orders.mode() === "closed_loop", "no longer in closed loop");
  const approved_actuators = drivenWhile(() => !orders.killSwitch(), "under the kill switch");
  const near_limit_c = config.limits.inlet_c - config.guardrail.inlet_margin_c;
  const supervisor = createSupervisor(healthDescription(), near_limit_c);
  const acceptCommand = commandGate({ rack_id, keys: trust.keys, wall_ms: Date.now });
  const status = (state: "online" | "offline"): string => {
    const message: Status = {
      v: 1,
      ts: isoTime(clock.wall(clock.now())),
      rack_id,
      state,
      agent_version: packageVersion(),
      driver: sensors.name,
      mode: orders.mode(),
      model_id: models.scorer?.model.id ?? null,
      model_sha256: models.scorer?.model.sha256 ?? null,
      manifest: models.manifest,
    };
    return JSON.stringify(message);
  };
  const { catch_up_per_s } = config.uplink;
  const connection = { site, rack_id, mqtt: config.mqtt, outbox, catch_up_per_s, clock, log };
  const uplink = mqttUplink({
    ...connection,
    status,
    onCommand,
    onModel: models.offer,
    onKeys: models.offerKeys,
    onPublished: observer.published,
  });

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

  /**
   * Where one reading is all that is scored, a rack that was without its guard for a while does not wait for a whole
   * interval more. Where scores are of means, one reading would look like a deviation by its noise alone.
   */
  async function firstLook(): Promise<void> {
    await sample();
    if (stats.samples > 0 && last_tick_ms === null && stops.length > 0) tick();
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
    const began = performance.now();
    const closed = window.close();
    const sample = closed && toTelemetry(closed);
    const supervised = sample && closed ? supervise(closed.at_ms, sample) : null;
    if (supervised?.news) log.warn({ event: "sensors", troubled: supervised.news });
    const telemetry = supervised?.sample ?? null;
    score_s = null;
    const score = supervised ? scored(supervised) : null;
    severity = protect(now_ms, closed?.hottest_inlet_c ?? null, supervised, score);
    measured = { fan_rpm_pct: telemetry?.fan_rpm_pct, pump_rpm_pct: telemetry?.pump_rpm_pct };
    undoWarming(now_ms);
    log.debug({
      event: "tick",
      severity,
      d: score?.d,
      tau_fast: score?.tau_fast,
      inlet_c: telemetry?.inlet_c,
      at_ms: now_ms,
    });
    // The outbox waits for the disk: what the guardrail has just asked of the devices leaves first.
    setImmediate(report, telemetry, score);
    setImmediate(models.ticked);
    const duration_s = (performance.now() - began) / 1000;
    const view = { duration_s, score_s, severity, mms_state, telemetry, score };
    setImmediate(() =>
      observer.ticked({
        ...view,
        closed_loop: orders.mode() === "closed_loop",
        model_id: models.scorer?.model.id ?? null,
      }),
    );
    watchdog.alive(`${orders.mode()}, ${severity}`);
  }

  function report(telemetry: TelemetrySample | null, score: Score | null): void {
    if (telemetry) {
      stats.samples_sent++;
      uplink.send("telemetry", telemetry);
    }
    if (score) {
      stats.scores++;
      uplink.send("score", isProtecting(guard_state) ? { ...score, guarded: true } : score);
    }
  }

  /** null for what no reader would accept, such as the readings of a host whose clock was never set. */
  function toTelemetry({ at_ms, interval_s, values, quality }: WindowSample): TelemetrySample | null {
    const ts = isoTime(clock.wall(at_ms));
    const sample = { v: 1, ts, rack_id, seq: ++seq, interval_s, ...values, quality };
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
      return unsupervised(sample, near_limit_c);
    }
  }

  function scored({ sample, departure, sensors }: Supervised): Score | null {
    const delivered = believed(sample);
    const own = uncommanded(delivered, setpoints);
    models.observe(clock.now(), toFeatures(delivered), toFeatures(own));
    const began = performance.now();
    const score = models.scorer ? scoreTelemetry(models.scorer, own, "agent") : null;
    score_s = score && (performance.now() - began) / 1000;
    if (!score) return null;
    return { ...score, ...(departure && { departure }), ...(sensors.length > 0 && { sensors }) };
  }

  function protect(
    now_ms: number,
    hottest_inlet_c: number | null,
    supervised: Supervised | null,
    score: Score | null,
  ): Severity {
    stats.guard_ticks++;
    const telemetry = supervised?.guarded ?? null;
    const input: GuardInput = {
      now_ms,
      closed_loop: orders.mode() === "closed_loop",
      inlet_c: telemetry?.inlet_c ?? null,
      hottest_inlet_c,
      heat: telemetry && models.scorer ? heatOf(models.scorer.model, toFeatures(telemetry)) : UNKNOWN_HEAT,
      d: score?.d ?? null,
      tau_fast: score?.tau_fast ?? null,
      mms_state,
      departure: supervised?.departure ?? null,
      setpoints,
      fan_rpm_pct: telemetry?.fan_rpm_pct ?? null,
      pump_rpm_pct: telemetry?.pump_rpm_pct ?? null,
      pdu_kw: telemetry?.pdu_kw ?? null,
      owned: [...owned],
      failing: [...failing],
    };
    const state = guard_state;
    const { intents, severity, ...decided } = guard(guard_context, state, input);
    guard_state = decided.state;
    if (intents.length === 0) return severity;
    const decision = {
      v: 1 as const,
      id: `${rack_id}-${started_ms}-${stats.guard_ticks}`,
      ts: isoTime(now_ms),
      rack_id,
      agent_version: packageVersion(),
      model_id: models.scorer?.model.id ?? null,
      severity,
      context: guard_context,
      state,
      input,
      sample: supervised?.sample ?? null,
      intents,
    };
    const outcomes = intents.map(({ emergency, kind, target, value, reason }, n) => {
      const { d, tau_fast, inlet_c, heat, departure } = input;
      const inputs = {
        severity,
        emergency,
        inlet_c,
        hottest_inlet_c,
        ...heat,
        d,
        tau_fast,
        mms_state,
        departure,
      };
      const id = `${decision.id}.${n + 1}`;
      return drive({ id, source: "guardrail", kind, target, to: value, reason, inputs });
    });
    // Once the actuators were told: whatever the disk does, it must not come between the guardrail and its rack.
    journalled = Promise.all(outcomes).then((all) => journal.record({ ...decision, outcomes: all }, now_ms));
    return severity;
  }

  type Wish = Pick<Action, "id" | "source" | "kind" | "target" | "to" | "reason" | "inputs"> & {
    target: RackTarget;
    /** Driven in advisory too. */
    approved?: boolean;
  };

  function drive(wish: Wish): Promise<IntentOutcome> {
    return inTurn(
      wish.target,
      () => carryOut(wish),
      (problem) => {
        log.error({ event: "drive_failed", target: wish.target, reason: problem });
        const mode = orders.mode();
        return { action_id: wish.id, mode, outcome: "refused", from: null, published: false, problem };
      },
    );
  }

  /** Asks the device what is in force, unless it is about to be asked already. */
  function look(target: RackTarget): void {
    if (looked_at.has(target)) return;
    looked_at.add(target);
    const ask = async () => {
      looked_at.delete(target);
      adopt(target, await readSetpoint(options.actuators, target, clock));
    };
    inTurn(target, ask, (reason) => log.debug({ event: "setpoint_unknown", target, reason }));
  }

  /** What is in force after all: the device forgot what it was told, obeyed without an answer, or somebody else set it. */
  function adopt(target: RackTarget, found: number | null): void {
    const from = setpoints[target];
    if (found === from) return;
    setpoints = { ...setpoints, [target]: found };
    log.info({ event: "setpoint_found", target, from, to: found });
  }

  /**
   * A device carries out one request after another, so that a read-back belongs to its own write; one that hangs does
   * not keep the others waiting.
   */
  function inTurn<T>(
    target: RackTarget,
    task: () => Promise<T>,
    otherwise: (problem: string) => T,
  ): Promise<T> {
    const device = options.actuators.deviceOf?.(target) ?? "";
    const before = driving.get(device) ?? Promise.resolve();
    const done = before.then(task).catch((error: unknown) => otherwise(String(error)));
    driving.set(device, done);
    return done;
  }

  async function carryOut(wish: Wish): Promise<IntentOutcome> {
    const used_mode = orders.mode();
    const present = { wish, told: false };
    under_way.set(wish.target, present);
    const approved = wish.approved === true && !orders.killSwitch();
    const of_guard = wish.source === "guardrail";
    // What the guardrail wants of a device that is not there is advice, whatever the mode.
    const only_advised = of_guard && !driven.includes(wish.target);
    const request = {
      target: wish.target,
      value: wish.to,
      mode: approved ? ("closed_loop" as const) : only_advised ? ("advisory" as const) : used_mode,
      to_cool: of_guard && wish.kind !== "release",
    };
    const driver = approved ? approved_actuators : actuators;
    const result = tooSoon(wish) ?? (await driveThroughGate(driver, config.actuators, request, clock));
    under_way.delete(wish.target);
    if (result.failed && request.mode === "closed_loop") failing.add(wish.target);
    else if (result.now !== undefined) failing.delete(wish.target);
    if (result.now !== undefined) {
      noteWarming(wish, result.from, result.now);
      setpoints = { ...setpoints, [wish.target]: result.now };
      driven_at_ms.set(wish.target, clock.now());
      noteOwner(wish, result.now);
    } else {
      if (present.told) noteTold(wish);
      if (result.found !== undefined) adopt(wish.target, result.found);
      // It may have obeyed all the same.
      if (result.failed && driven.includes(wish.target)) look(wish.target);
    }
    const outcome: IntentOutcome = {
      action_id: wish.id,
      mode: used_mode,
      outcome: result.outcome,
      from: result.from,
      ...(result.now === undefined ? {} : { now: result.now }),
      published: true,
      ...(result.rejection ? { problem: result.rejection.message } : {}),
    };
    // The guardrail would repeat itself every minute; a command is always answered.
    const advice = result.outcome === "advised" && wish.source === "guardrail";
    if (advice && !isNews(clock.now(), wish.kind, wish.target)) return { ...outcome, published: false };
    const action: Action = {
      v: 1,
      id: wish.id,
      ts: isoTime(clock.wall(clock.now())),
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
    observer.acted(action);
    return outcome;
  }

  /** A device that has not answered may have obeyed all the same; one that was to be released may not. */
  function noteTold(wish: Wish): void {
    if (wish.to === null) return;
    noteOwner(wish, wish.to);
    noteWarming(wish, setpoints[wish.target], wish.to);
  }

  /** Who drove a target last is the one to hand it back; the guardrail's are kept on disk, for the next run. */
  function noteOwner({ source, target }: Wish, now: number | null): void {
    const before = owned.has(target);
    if (source === "guardrail" && now !== null && !isHandedBack(target, now)) owned.add(target);
    else owned.delete(target);
    if (owned.has(target) !== before) journal.setOwned([...owned]);
  }

  /**
   * A device without a control of its own cannot be given back to it: a speed stays where it is, on the cool side, for
   * whoever sets it next; work is given back as a whole by its upper limit.
   */
  function isHandedBack(target: RackTarget, now: number): boolean {
    if (!without_own_control.includes(target)) return false;
    return target === "fan_rpm_pct" || target === "pump_rpm_pct" || now >= config.actuators[target].max;
  }

  /** In advisory the guardrail cannot raise what saves energy at the cost of heat; see `undoWarming`. */
  function noteWarming({ source, target }: Wish, from: number | null, now: number | null): void {
    const before = warmed.has(target);
    if (source !== "guardrail" && warms(target, from ?? measured[target] ?? null, now)) warmed.add(target);
    else warmed.delete(target);
    if (warmed.has(target) !== before) journal.setWarmed([...warmed]);
  }

  /**
   * What was approved, or set in closed loop before, holds in advisory until the rack needs protection: then the device
   * gets its own control back.
   */
  function undoWarming(now_ms: number): void {
    if (severity === "none" || orders.mode() !== "advisory" || orders.killSwitch()) return;
    if (now_ms - undone_ms < UNDO_SPACING_MS) return;
    for (const target of warmed) {
      undone_ms = now_ms;
      const reason = `what was set to save energy is handed back: ${severity}`;
      const id = `${rack_id}-${started_ms}-${stats.guard_ticks}.${target}`;
      const inputs = { severity };
      drive({ id, source: "guardrail", kind: "release", target, to: null, reason, inputs, approved: true });
    }
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
      case "setpoint": {
        const approved = body.approved === true && orders.mode() === "advisory";
        const refused = approved ? refusedApproval(body.target, body.value) : refusedWish(body);
        if (refused) return refused;
        drive({
          approved,
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
  }

  function refusedWish({ target, value }: { target: RackTarget; value: number | null }) {
    if (!isProtecting(guard_state)) return undefined;
    const expected = "a rack that the guardrail is not protecting";
    return reject("SKADI_CONFLICT", { field: target, value, expected });
  }

  /** What was approved in advisory: never under the kill switch, and while the rack is in need only what cools it. */
  function refusedApproval(target: RackTarget, value: number | null): Rejection | undefined {
    const conflict = (expected: string) => reject("SKADI_CONFLICT", { field: target, value, expected });
    if (orders.killSwitch()) return conflict("the kill switch to be lifted");
    const before = setpoints[target] ?? measured[target] ?? null;
    if (severity !== "none" && (value === null || warms(target, before, value)))
      return conflict(`a change that cools while the rack needs protection (${severity})`);
    return undefined;
  }

  function onAnswer({ model_id, counter, rejections, shadow }: ModelAnswer): void {
    if (rejections.length > 0) log.warn({ event: "model_refused", model_id, counter, rejections, shadow });
    else log.info({ event: "model_accepted", model_id, counter, shadow });
    acknowledge("model", model_id, rejections, {
      ...(counter !== undefined && { counter }),
      ...(shadow && { shadow }),
    });
  }

  function acknowledge(
    of: Ack["of"],
    ref: string | undefined,
    errors: Rejection[],
    more: Pick<Ack, "counter" | "shadow"> = {},
  ): void {
    const ack: Ack = {
      v: 1,
      ts: isoTime(clock.wall(clock.now())),
      rack_id,
      of,
      ok: errors.length === 0,
      errors,
      ...more,
    };
    uplink.send("ack", ref === undefined ? ack : { ...ack, ref });
  }

  async function failSafe(): Promise<void> {
    const permit = (target: RackTarget) => {
      if (orders.mode() !== "closed_loop") throw new Error("no longer in closed loop");
      if (owned.has(target)) return;
      owned.add(target);
      // As with every other write: right after the device is told, whatever becomes of its answer, or of this process.
      setImmediate(() => journal.setOwned([...owned]));
    };
    try {
      await withDeadline(FAIL_SAFE_TIMEOUT_S * 1000, clock, (signal) =>
        options.actuators.failSafe({ permit, signal }),
      );
    } catch (error) {
      log.error({ event: "fail_safe_failed", err: error });
    }
    // The last of these notes is written before the journal is closed.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * What an earlier run of the guardrail left in force, for whatever reason it ended, is handed back by this one; also
   * where nothing seems to be in force, because some devices do not tell.
   */
  function takeOver(): void {
    const left = journal.owned();
    if (left.length === 0) return;
    for (const target of left) owned.add(target);
    guard_state = resumedGuardState(guard_context, clock.now());
    log.warn({ event: "setpoints_left_behind", targets: left });
  }

  return {
    async start() {
      await sensors.open();
      setpoints = await readSetpoints(actuators, clock, (target, error) =>
        log.error({ event: "setpoint_unknown", target, err: error }),
      );
      takeOver();
      models.start();
      if (!options.offline) uplink.start();
      const started = { site, rack_id, driver: sensors.name, actuators: actuators.name, mode: orders.mode() };
      log.info({ event: "agent_started", ...started, fields: MEASURED_FIELDS.length });
      stops.push(clock.every(config.loop.sample_s * 1000, () => void sample()));
      stops.push(clock.every(config.loop.score_s * 1000, tick));
      let looks = 0;
      if (driven.length > 0) stops.push(clock.every(LOOK_MS, () => look(driven[looks++ % driven.length]!)));
      if (config.loop.score_s <= config.loop.sample_s) void firstLook();
      watchdog.ready(`${orders.mode()}, starting`);
    },
    async stop() {
      for (const stop of stops.splice(0)) stop();
      const goodbye = watchdog.stopping();
      await Promise.all(driving.values());
      await journalled;
      // What the last tick still has to report.
      await new Promise((resolve) => setImmediate(resolve));
      if (orders.mode() === "closed_loop") await failSafe();
      journal.close();
      await models.stop();
      await uplink.stop();
      outbox.close();
      await sensors.close();
      await actuators.close();
      await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
      log.info({ event: "agent_stopped", ...stats });
    },
    stats() {
      const { size, unsaved, dropped, rolled_up } = outbox;
      return { ...stats, published: uplink.delivered, outbox: size, unsaved, dropped, rolled_up };
    },
    get connected() {
      return uplink.connected;
    },
  };
}
