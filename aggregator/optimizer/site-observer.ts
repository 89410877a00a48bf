import { RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { OptimizerRound } from "../../shared/contracts/optimizer.ts";
import { rowOf } from "../../shared/contracts/rack.ts";
import { gpuPowerKw, type TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { believed } from "../../shared/ims/believed.ts";
import { createLoadForecast, type LoadForecast } from "./forecast.ts";
import type { PredictiveRack } from "./predictive.ts";
import { createRackModel, type Outlook, type PredictionErrors, type RackModel } from "./rack-model.ts";
import { equipmentOf } from "./site-model.ts";

/** The plan looks this far ahead: where the load's mean and peak come from. */
const HORIZON_S = [0, 300, 600, 1_200] as const;
/** How far ahead the long prediction is checked, and how often. */
const AHEAD_MS = 600_000;
const CHECK_EVERY_MS = 600_000;
const MS_PER_S = 1000;

interface Pending {
  due_ms: number;
  predict: (operation: Parameters<RackModel["predict"]>[0]) => Outlook;
  tokens_ps: number;
}

interface Watched {
  rack_id: string;
  row: string;
  model: RackModel;
  forecast: LoadForecast;
  left: number;
  right: number;
  outlet_c: number | null;
  periods: number;
  recent_ms: number;
  pending: Pending | null;
  next_check_ms: number;
}

export type PredictionQuality = OptimizerRound["prediction"];

export interface SiteObserver {
  /** One sample of one rack, with the setpoints that were in force. */
  observe(
    rack_id: string,
    sample: TelemetrySample,
    now_ms: number,
    setpoints: Record<RackTarget, number | null>,
  ): void;
  /** The supply setpoint changes now. */
  supply(setpoint_c: number, now_ms: number): void;
  readonly supply_setpoint_c: number;
  /** What the planner needs of one rack, null for an unknown one. */
  rack(rack_id: string, now_ms: number): Omit<PredictiveRack, "held" | "setpoints" | "d_level"> | null;
  quality(): PredictionQuality;
}

/** Keeps a model and a load forecast per rack, fed by telemetry. */
export function createSiteObserver(
  rack_ids: readonly string[],
  config: Pick<AggregatorConfig, "optimizer" | "savings">,
): SiteObserver {
  const equipment = equipmentOf(config);
  const { supply } = config.optimizer;
  const watched = rack_ids.map(
    (rack_id): Watched => ({
      rack_id,
      row: rowOf(rack_id),
      model: createRackModel(equipment),
      forecast: createLoadForecast(),
      ...{ left: -1, right: -1, outlet_c: null, periods: 0, recent_ms: Number.NEGATIVE_INFINITY },
      ...{ pending: null, next_check_ms: 0 },
    }),
  );
  const index_of = new Map(rack_ids.map((rack_id, i) => [rack_id, i]));
  for (const [i, rack] of watched.entries()) {
    rack.left = watched[i - 1]?.row === rack.row ? i - 1 : i;
    rack.right = watched[i + 1]?.row === rack.row ? i + 1 : i;
  }
  let setpoint_c = config.savings.supply_c;
  let delivered_c = setpoint_c;
  let delivered_ms: number | null = null;
  const squares = { inlet_c: 0, outlet_c: 0, pdu_kw: 0, latency_p95_ms: 0, tokens_ps: 0, count: 0 };

  const deliver = (now_ms: number) => {
    if (delivered_ms !== null && now_ms > delivered_ms) {
      const follow = 1 - Math.exp(-(now_ms - delivered_ms) / MS_PER_S / supply.lag_s);
      delivered_c += follow * (setpoint_c - delivered_c);
    }
    delivered_ms = Math.max(now_ms, delivered_ms ?? now_ms);
  };
  const neighbours = (rack: Watched) => {
    const of = (i: number) => watched[i]!.outlet_c ?? rack.outlet_c ?? delivered_c;
    return (of(rack.left) + of(rack.right)) / 2;
  };

  const check = (rack: Watched, now_ms: number, neighbour_c: number) => {
    const recent = rack.model.recent!;
    const { pending } = rack;
    if (pending && now_ms >= pending.due_ms) {
      const { fan_pct, pump_pct, batch_window_ms } = recent;
      const said = pending.predict({
        ...{ fan_pct, pump_pct, batch_window_ms, neighbour_c },
        supply_c: recent.supply_c,
        tokens_ps: pending.tokens_ps,
      });
      for (const field of ["inlet_c", "outlet_c", "pdu_kw", "latency_p95_ms"] as const)
        squares[field] += (recent[field] - said[field]) ** 2;
      squares.tokens_ps += (recent.tokens_ps - pending.tokens_ps) ** 2;
      squares.count++;
      rack.pending = null;
    }
    if (rack.pending || now_ms < rack.next_check_ms) return;
    const tokens_ps = rack.forecast.expected(now_ms, AHEAD_MS / MS_PER_S);
    if (tokens_ps === null || rack.periods < 10) return;
    rack.pending = { due_ms: now_ms + AHEAD_MS, predict: rack.model.snapshot(), tokens_ps };
    rack.next_check_ms = now_ms + CHECK_EVERY_MS;
  };

  return {
    observe(rack_id, sample, now_ms, setpoints) {
      const rack = watched[index_of.get(rack_id) ?? -1];
      if (!rack) return;
      deliver(now_ms);
      const seen = believed(sample);
      const { inlet_c, outlet_c, pdu_kw, tokens_ps, latency_p95_ms, queue_depth, fan_rpm_pct, pump_rpm_pct } =
        seen;
      const gpu_kw = gpuPowerKw(seen);
      const complete =
        inlet_c !== null &&
        outlet_c !== null &&
        pdu_kw !== null &&
        tokens_ps !== null &&
        latency_p95_ms !== null &&
        queue_depth !== null &&
        fan_rpm_pct !== null &&
        pump_rpm_pct !== null;
      if (!complete || !Number.isFinite(gpu_kw)) return;
      rack.outlet_c = rack.outlet_c === null ? outlet_c : rack.outlet_c + 0.1 * (outlet_c - rack.outlet_c);
      rack.model.asked(setpoints.fan_rpm_pct);
      const neighbour_c = neighbours(rack);
      rack.model.observe({
        interval_s: seen.interval_s,
        inlet_c,
        outlet_c,
        pdu_kw,
        gpu_kw,
        tokens_ps,
        latency_p95_ms,
        queue_depth,
        fan_pct: fan_rpm_pct,
        pump_pct: pump_rpm_pct,
        batch_window_ms: setpoints.batch_window_ms ?? equipment.batch_window_ms,
        supply_c: delivered_c,
        neighbour_c,
      });
      if (rack.model.periods === rack.periods) return;
      rack.periods = rack.model.periods;
      rack.recent_ms = now_ms;
      rack.forecast.observe(now_ms, rack.model.recent!.tokens_ps);
      check(rack, now_ms, neighbour_c);
    },
    supply(value_c, now_ms) {
      deliver(now_ms);
      setpoint_c = value_c;
    },
    get supply_setpoint_c() {
      return setpoint_c;
    },
    rack(rack_id, now_ms) {
      const rack = watched[index_of.get(rack_id) ?? -1];
      if (!rack) return null;
      const loads = HORIZON_S.map((ahead_s) => rack.forecast.expected(now_ms, ahead_s) ?? 0);
      const mean_tokens_ps = loads.reduce((sum, load) => sum + load, 0) / loads.length;
      const { row, model } = rack;
      const load = { mean_tokens_ps, peak_tokens_ps: Math.max(...loads) };
      const recent_age_ms = now_ms - rack.recent_ms;
      return { rack_id, row, model, recent_age_ms, neighbour_c: neighbours(rack), load };
    },
    quality() {
      const models = watched.map(({ model }) => model).filter((model) => model.periods > 2);
      const rms = (field: keyof PredictionErrors) =>
        Math.sqrt(
          models.reduce((sum, model) => sum + model.one_step[field] ** 2, 0) / Math.max(1, models.length),
        );
      const ahead = (field: keyof typeof squares) => Math.sqrt(squares[field] / squares.count);
      return {
        racks: models.length,
        one_step: {
          inlet_c: rms("inlet_c"),
          outlet_c: rms("outlet_c"),
          pdu_kw: rms("pdu_kw"),
          latency_p95_ms: rms("latency_p95_ms"),
        },
        ten_minutes:
          squares.count === 0
            ? null
            : {
                inlet_c: ahead("inlet_c"),
                outlet_c: ahead("outlet_c"),
                pdu_kw: ahead("pdu_kw"),
                latency_p95_ms: ahead("latency_p95_ms"),
                tokens_ps: ahead("tokens_ps"),
                count: squares.count,
              },
      };
    },
  };
}

export const NO_SETPOINTS = Object.fromEntries(RACK_TARGETS.map((target) => [target, null])) as Record<
  RackTarget,
  null
>;
