import { type Parsed, parsePayload, parseValue } from "../../shared/contracts/parse.ts";
import type { Score } from "../../shared/contracts/score.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import type { Rejection } from "../../shared/errors.ts";
import { believed } from "../../shared/ims/believed.ts";
import { type Scorer, scoreTelemetry } from "../../shared/ims/score.ts";
import type { Clock } from "../../shared/time.ts";
import type { Counters } from "../counters.ts";
import type { EventBus } from "../events.ts";
import { agentOnline, type Fleet, type Rack } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import { nextLag } from "./clock-lag.ts";
import { nextLateRun, type Order, orderOf } from "./order.ts";
import type { Rejections } from "./rejections.ts";
import type { ScoreIngest } from "./scores.ts";
import { findRack } from "./site.ts";

type Accepted = { kind: Order["kind"]; score: Score | null };
type Outcome = { ok: true; value: Accepted } | { ok: false; rejections: Rejection[] };

export interface TelemetryIngest {
  fromMqtt(topic_rack: string, payload: Uint8Array): void;
  /** For HTTP; counts and logs, and leaves the answer to the caller. */
  fromValue(value: unknown, size_rejection?: Rejection | null): Outcome;
}

interface TelemetryContext {
  clock: Clock;
  fleet: Fleet;
  store: Store;
  counters: Counters;
  events: EventBus;
  rejections: Rejections;
  scores: ScoreIngest;
  /** The model that the rack is to run; null while there is none. */
  scorerOf: (rack_id: string) => Scorer | null;
}

/** parse → known rack → order → store → score: the life of a telemetry sample. */
export function telemetryIngest(context: TelemetryContext): TelemetryIngest {
  const { fleet, rejections } = context;

  const accept = (parsed: Parsed<TelemetrySample>, topic_rack: string | null): Outcome => {
    if (!parsed.ok) return parsed;
    const sample = parsed.value;
    const rack = findRack(fleet, sample.rack_id, topic_rack);
    if (!rack.ok) return rack;
    const order = orderSample(rack.value, sample, context);
    if (order.kind === "duplicate") return { ok: true, value: { kind: "duplicate", score: null } };
    keepSample(rack.value, sample, order, context);
    return { ok: true, value: { kind: order.kind, score: scoreIfNeeded(rack.value, sample, context) } };
  };

  return {
    fromMqtt(topic_rack, payload) {
      const outcome = accept(parsePayload(TelemetrySample, payload), topic_rack);
      if (!outcome.ok) rejections.refuse(topic_rack, "telemetry", outcome.rejections);
    },
    fromValue(value, size_rejection) {
      const outcome: Outcome = size_rejection
        ? { ok: false, rejections: [size_rejection] }
        : accept(parseValue(TelemetrySample, value), null);
      if (!outcome.ok) rejections.record(sourceOf(value), "telemetry", outcome.rejections);
      return outcome;
    },
  };
}

function sourceOf(value: unknown): string {
  const rack_id =
    typeof value === "object" && value !== null && "rack_id" in value ? value.rack_id : undefined;
  return typeof rack_id === "string" ? rack_id.slice(0, 16) : "(http)";
}

function orderSample(rack: Rack, sample: TelemetrySample, { store, counters }: TelemetryContext): Order {
  const last = { seq: rack.last_seq, ts_ms: rack.ts_ms, lost: rack.lost, late_run: rack.late_run };
  const seen = store.samples.find(sample.rack_id, sample.seq) !== null;
  const { seq, interval_s } = sample;
  const order = orderOf(last, { seq, ts_ms: Date.parse(sample.ts), interval_s }, seen);
  if (order.kind === "in_order") counters.accepted++;
  else if (order.kind === "late") counters.late++;
  else counters.duplicates++;
  return order;
}

function keepSample(
  rack: Rack,
  sample: TelemetrySample,
  order: Exclude<Order, { kind: "duplicate" }>,
  { clock, store, counters, events }: TelemetryContext,
): void {
  const received_ms = clock.now();
  store.samples.add(sample, { received_ms, late: order.kind === "late" });
  const lost = order.kind === "late" ? -order.found : order.lost;
  rack.lost += lost;
  counters.lost += lost;
  rack.late_run = order.kind === "late" ? nextLateRun(rack.late_run, sample.seq) : null;
  if (order.kind === "late") return;
  if (order.restarted) {
    events.publish("seq_restart", rack.rack_id, { from_seq: rack.last_seq, to_seq: sample.seq });
    rack.last_scored_seq = null;
  }
  rack.sample = sample;
  rack.ts_ms = Date.parse(sample.ts);
  rack.received_ms = received_ms;
  rack.last_seq = sample.seq;
  const { ts_ms, clock_lag: before } = rack;
  rack.clock_lag = nextLag(before, { ts_ms, received_ms, interval_s: sample.interval_s });
  const { told_ms } = rack.clock_lag;
  if (told_ms === (before?.told_ms ?? null)) return;
  events.publish("clock", rack.rack_id, { behind_s: Math.round((told_ms ?? 0) / 1000) });
}

/** A rack whose live agent has a model is scored there; every other rack that sends telemetry is scored here. */
function scoreIfNeeded(rack: Rack, sample: TelemetrySample, context: TelemetryContext): Score | null {
  const scorer = context.scorerOf(rack.rack_id);
  if (!scorer || (agentOnline(rack) && rack.status?.model_id)) return null;
  const score = scoreTelemetry(scorer, believed(sample), "aggregator");
  if (score) context.scores.fromAggregator(rack, score);
  return score;
}
