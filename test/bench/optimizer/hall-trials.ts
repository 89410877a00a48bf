import type { SetpointAction } from "../../../aggregator/actions/action-log.ts";
import type { Proposal } from "../../../aggregator/optimizer/plan.ts";
import { createTrials } from "../../../aggregator/optimizer/trials.ts";
import type { RackMinute } from "../../../aggregator/store/store.ts";
import type { Action, RackTarget, Target } from "../../../shared/contracts/action.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import { MEASURED_FIELDS, type TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import type { Scorer } from "../../../shared/ims/score.ts";
import { createLog } from "../../../shared/log.ts";
import { isoTime } from "../../../shared/time.ts";
import { RACKS } from "../fault-schedule.ts";
import type { Hall } from "./hall.ts";

const INTERVAL_MS = AggregatorConfig.parse({}).optimizer.interval_s * 1000;
const MINUTE_MS = 60_000;
const WINDOW_MS = 5_000;
/** Trials look back half an hour from when they began, and last for three rounds. */
const KEPT_MINUTES = 45;

/** The aggregator's own trials on the hall: its agents answer at once, and minutes are kept in memory. */
export function hallTrials(hall: Hall, scorer: Scorer) {
  const minutes = RACKS.map((rack_id) => minuteMeans(rack_id));
  const known = new Map<string, Action>();
  const quarantined = new Set<string>();
  const indexOf = (rack_id: string) => RACKS.indexOf(rack_id);
  const device = (rack_id: string | null, target: string) => `${rack_id}/${target}`;
  const counts = { rollbacks: 0, handed_back: 0 };
  const send = (action: SetpointAction) => {
    const taken = hall.command(indexOf(action.rack_id), action.target, action.to);
    known.set(action.id, { ...action, outcome: taken ? "applied" : "refused" });
    if (action.kind === "rollback" && taken)
      counts[/: D rose/.test(action.reason) ? "handed_back" : "rollbacks"]++;
  };
  const trials = createTrials(
    {
      actions: {
        ...{ inForce: () => [], unanswered: () => [], refusal: () => null, send },
        record: (action) => void known.set(action.id, action),
        setpoints: {
          appliedMs: (rack_id, target) =>
            rack_id === null || target === "supply_c"
              ? Number.NEGATIVE_INFINITY
              : hall.racks[indexOf(rack_id)]!.changed_ms[target],
          value: (rack_id, target) =>
            rack_id === null || target === "supply_c"
              ? null
              : hall.racks[indexOf(rack_id)]!.setpoints[target],
        },
      },
      store: {
        samples: { means: (rack_id) => minutes[indexOf(rack_id)]!.last() },
        rollups: { minutes: (from_ms) => minutes.flatMap((rack) => rack.since(from_ms)) },
        actions: { get: (id) => known.get(id) ?? null },
        settings: { get: () => undefined, put() {} },
      },
      events: { publish() {} },
      mode: { of: () => "closed_loop" },
      quarantine: {
        has: (rack_id, target) => quarantined.has(device(rack_id, target)),
        add: ({ rack_id, target }) => void quarantined.add(device(rack_id, target)),
      },
      fleet: {
        racks: RACKS.map((rack_id) => ({ rack_id, row: rowOf(rack_id) })),
        get(rack_id) {
          const { d_slow, guarded } = hall.racks[indexOf(rack_id)]!;
          return { d_slow, status: { state: "online" }, score: guarded ? { guarded } : null };
        },
      },
      rollout: { scorerOf: () => scorer },
      log: createLog("bench", "silent"),
    },
    INTERVAL_MS,
  );
  let ids = 0;
  return {
    onSample: (i: number, sample: TelemetrySample) => minutes[i]!.add(sample, hall.now_ms()),
    settle: () => trials.settle(hall.now_ms()),
    resting: (rack_id: string | null, target: Target) => trials.resting(rack_id, target, hall.now_ms()),
    begin({ rack_id, target, from, to, predicted, predicted_saving_kw, reason }: Proposal) {
      if (rack_id === null || target === "supply_c") return;
      const action: SetpointAction = {
        ...{ v: 1, id: `a${++ids}`, ts: isoTime(hall.now_ms()), source: "optimizer", kind: "optimize" },
        ...{ rack_id, target: target as RackTarget, from, to, mode: "closed_loop", outcome: "sent" },
        ...{ reason, inputs: {}, predicted_saving_kw },
      };
      trials.begin(action, predicted, hall.now_ms());
    },
    /** What was taken back for its effect, what because the rack's D rose, and what was found at fault. */
    notes: () => ({ ...counts, quarantined: quarantined.size }),
  };
}

export type HallTrials = ReturnType<typeof hallTrials>;

/** Means per minute of one rack, as the aggregator rolls them up. */
function minuteMeans(rack_id: string) {
  const kept: RackMinute[] = [];
  const sums = new Float64Array(MEASURED_FIELDS.length);
  const counts = new Uint32Array(MEASURED_FIELDS.length);
  let minute_ms = Number.NEGATIVE_INFINITY;
  let samples = 0;
  const close = () => {
    if (samples === 0) return;
    const mean = {} as RackMinute["mean"];
    for (const [f, field] of MEASURED_FIELDS.entries())
      mean[field] = counts[f] ? sums[f]! / counts[f]! : null;
    const rest = { d_mean: null, d_max: null, energy_kwh: 0, tokens: 0 };
    kept.push({ rack_id, minute_ms, samples, mean, max: mean, ...rest });
    if (kept.length > KEPT_MINUTES) kept.shift();
    sums.fill(0);
    counts.fill(0);
    samples = 0;
  };
  return {
    add(sample: TelemetrySample, at_ms: number) {
      const minute = Math.floor((at_ms - 1) / MINUTE_MS) * MINUTE_MS;
      if (minute !== minute_ms) close();
      minute_ms = minute;
      samples++;
      for (const [f, field] of MEASURED_FIELDS.entries()) {
        const value = sample[field];
        if (value === null) continue;
        sums[f]! += value;
        counts[f]!++;
      }
      if (samples === MINUTE_MS / WINDOW_MS) close();
    },
    since: (from_ms: number): RackMinute[] =>
      kept.filter((minute) => minute.minute_ms >= from_ms - MINUTE_MS),
    last() {
      const newest = kept.at(-1);
      if (!newest) return null;
      const { inlet_c, latency_p95_ms, pdu_kw, tokens_ps } = newest.mean;
      return { samples: newest.samples, inlet_c, latency_p95_ms, pdu_kw, tokens_ps };
    },
  };
}
