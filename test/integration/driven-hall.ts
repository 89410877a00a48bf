import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { actionLog, type SetpointAction } from "../../aggregator/actions/action-log.ts";
import { openJournal } from "../../aggregator/audit/journal.ts";
import { modeControl } from "../../aggregator/control/mode.ts";
import { openQuarantine } from "../../aggregator/control/quarantine.ts";
import { newCounters } from "../../aggregator/counters.ts";
import { eventBus } from "../../aggregator/events.ts";
import { createFleet } from "../../aggregator/fleet.ts";
import { createTrials } from "../../aggregator/optimizer/trials.ts";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import type { RackTarget } from "../../shared/contracts/action.ts";
import type { CommandBody } from "../../shared/contracts/messages.ts";
import { racksOf } from "../../shared/contracts/rack.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { createLog } from "../../shared/log.ts";
import { isoTime, virtualClock } from "../../shared/time.ts";
import { createPlant } from "../../sim/plant/plant.ts";
import { SENSOR_FIELDS, type SensorField } from "../../sim/plant/sensors.ts";
import { smallModel } from "../support/models.ts";
import { temporaryFolder } from "../support/temporary.ts";

const INTERVAL_MS = 120_000;
const READ_S = 5;
const SAMPLE_S = 60;
const LAYOUT = { rows: ["A", "B"], racks_per_row: 6 };

/** What an agent does with a command: carries it out, refuses it, or carries it out and is not heard. */
export type Obedience = "obeys" | "refuses" | "is_unheard";

/** What a device makes of the speed that it is asked for. */
export type Defect = (value: number) => number | null;

/**
 * The simulated plant under the aggregator's own store, action log, quarantine and trials, in simulated time. Agents
 * are short-circuited: a command reaches its device at once, and is answered as an agent would.
 */
export function drivenHall(options: { start_ms: number; seed: number }) {
  const { start_ms, seed } = options;
  const rack_ids = racksOf(LAYOUT.rows, LAYOUT.racks_per_row);
  const plant = createPlant({ rack_ids, seed, start_ms });
  const clock = virtualClock(start_ms);
  const log = createLog("test", "silent");
  const store = openSqliteStore(join(temporaryFolder(), "aggregator.db"), { flush_ms: 60_000, log });
  const events = eventBus(store, clock);
  const fleet = createFleet(LAYOUT, store);
  const setOnline = (rack_id: string, online: boolean) => {
    const status = { v: 1 as const, ts: isoTime(clock.now()), rack_id, agent_version: "0", driver: "sim" };
    const state = online ? ("online" as const) : ("offline" as const);
    fleet.get(rack_id)!.status = { ...status, state, mode: "closed_loop", model_id: null };
  };
  for (const rack_id of rack_ids) setOnline(rack_id, true);
  const defects = new Map<string, Defect>();
  const unreported = new Set<string>();
  const commands: { rack_id: string; body: CommandBody }[] = [];

  const obedience = new Map<string, Obedience>();
  const answer = (action_id: string, outcome: "applied" | "refused") => {
    const sent = store.actions.get(action_id);
    if (sent) actions.fromAgent({ ...sent, outcome });
  };
  const obey = (rack_id: string, body: Extract<CommandBody, { kind: "setpoint" }>) => {
    const { target, value, action_id } = body;
    const obeys = obedience.get(rack_id) ?? "obeys";
    if (obeys === "refuses") return answer(action_id, "refused");
    const defect = defects.get(`${rack_id}/${target}`);
    plant.setTarget(rack_id, target, value === null || !defect ? value : defect(value));
    if (obeys === "obeys") answer(action_id, "applied");
  };
  const commander = {
    send(rack_id: string, body: CommandBody) {
      commands.push({ rack_id, body });
      if (body.kind === "setpoint") obey(rack_id, body);
      return `command-${commands.length}`;
    },
  };
  const mode = modeControl({ initial: "closed_loop", store, events, commander, fleet });
  const quarantine = openQuarantine({ store, events, clock, log });
  const key = generateKeyPairSync("ed25519").privateKey;
  const journal = openJournal({ site: "dc1", key, store, clock, log, publish() {} });
  const safety = { mode, quarantine, journal, device_spacing_s: INTERVAL_MS / 1000 };
  const newActions = () =>
    actionLog({ clock, log, store, counters: newCounters(), events, commander, ...safety });
  let actions = newActions();
  const context = { store, events, mode, quarantine, fleet, log };
  const scorer = createScorer(smallModel());
  const newTrials = () =>
    createTrials({ ...context, actions, rollout: { scorerOf: () => scorer } }, INTERVAL_MS);
  let trials = newTrials();

  let seq = 0;
  const runMinute = () => {
    const sums = rack_ids.map(() => new Map<SensorField, number>());
    for (let s = 0; s < SAMPLE_S; s += READ_S) {
      plant.step(READ_S);
      rack_ids.forEach((rack_id, i) => {
        const readings = plant.read(rack_id);
        for (const field of SENSOR_FIELDS) {
          sums[i]!.set(field, (sums[i]!.get(field) ?? 0) + (readings[field] ?? 0));
        }
      });
    }
    clock.advance(SAMPLE_S * 1000);
    seq++;
    rack_ids.forEach((rack_id, i) => {
      if (unreported.has(rack_id)) return;
      const means = [...sums[i]!].map(([field, sum]) => [field, (sum * READ_S) / SAMPLE_S]);
      const { gpu_energy_j_total: _, queue_depth, ...values } = Object.fromEntries(means);
      // A sample belongs to the minute that it averages.
      const ts = isoTime(clock.now() - 1_000);
      const whole = { queue_depth: Math.round(queue_depth), gpu_energy_j: 300_000 };
      const gaps = SENSOR_FIELDS.filter((field) => unreported.has(`${rack_id}/${field}`));
      const missing = Object.fromEntries(gaps.map((field) => [field, null]));
      const sample = { ts, rack_id, seq, interval_s: SAMPLE_S, ...values, ...whole, ...missing };
      store.samples.add(TelemetrySample.parse(sample), { received_ms: clock.now(), late: false });
    });
  };
  let action_number = 0;
  return {
    ...{ plant, clock, store, rack_ids, fleet, commands, defects, obedience, answer, mode, quarantine },
    ...{ journal, setOnline },
    get actions() {
      return actions;
    },
    /** Racks that send nothing, and sensors ("R-A-01/inlet_c") that are missing from what a rack sends. */
    unreported,
    get trials() {
      return trials;
    },
    /** The aggregator dies and comes up again: its action log and its trials know what the store says. */
    restart() {
      actions = newActions();
      trials = newTrials();
    },
    /** The rack's average D comes so near to the threshold that its changes are taken back. */
    deviate(rack_id: string) {
      fleet.get(rack_id)!.d_slow = scorer.model.tau_fast;
    },
    run(minutes: number) {
      for (let m = 0; m < minutes; m++) runMinute();
    },
    /** Has the optimizer's trials change a device; false if they would not. */
    change(rack_id: string, target: RackTarget, to: number): boolean {
      const action: SetpointAction = {
        v: 1,
        id: `change-${++action_number}`,
        ts: isoTime(clock.now()),
        rack_id,
        source: "optimizer",
        kind: "optimize",
        target,
        from: actions.setpoints.value(rack_id, target),
        to,
        mode: "closed_loop",
        outcome: "advised",
        reason: "test",
        inputs: {},
        predicted_saving_kw: 0.1,
      };
      const { inlet_c, latency_p95_ms } = plant.truth(rack_id);
      // A longer batching window is expected to cost latency; nothing else is.
      const cost_ms = target === "batch_window_ms" ? to : 0;
      return trials.begin(action, { inlet_c, latency_p95_ms: latency_p95_ms + cost_ms, d: 0 }, clock.now());
    },
    /** One round of the optimizer: two minutes go by, and what is due is judged. */
    cycle() {
      for (let m = 0; m < INTERVAL_MS / 60_000; m++) runMinute();
      trials.settle(clock.now());
    },
    eventsOf: (type: string) =>
      store.events.between(0, clock.now(), 10_000).filter((event) => event.type === type),
    close: () => store.close(),
  };
}
