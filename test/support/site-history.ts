import type { Store } from "../../aggregator/store/store.ts";
import type { Action } from "../../shared/contracts/action.ts";
import { racksOf } from "../../shared/contracts/rack.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { isoTime } from "../../shared/time.ts";

const STEP_MS = 300_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HISTORY_ROWS = ["A", "B", "C", "D", "E", "F"];

/** What must never reach a page as markup. */
export const HOSTILE = '<script>alert("x")</script><img src=https://example.com/x>';

/**
 * A day of 72 racks, sample by sample at 5 minutes, up to `to_ms`: a daily curve of load, row C hot and persistent
 * from hour 8 to hour 10, savings by the optimizer, one of them taken back, and a guardrail that answers the heat.
 */
export function writeDay(store: Store, to_ms: number): void {
  const from_ms = to_ms - DAY_MS;
  for (const [i, rack_id] of racksOf(HISTORY_ROWS, 12).entries()) {
    for (let seq = 0; seq < DAY_MS / STEP_MS; seq++) {
      const ts_ms = from_ms + seq * STEP_MS;
      writeSample(store, {
        rack_id,
        seq,
        ts_ms,
        hour: (ts_ms - from_ms) / HOUR_MS,
        wave: Math.sin(i * 7 + seq),
      });
    }
  }
  for (let n = 1; n <= 12; n++) {
    const rack_id = `R-C-${String(n).padStart(2, "0")}`;
    for (const [state, hour] of [
      ["persistent", 8],
      ["transient", 10],
    ] as const) {
      const ts = isoTime(from_ms + hour * HOUR_MS + n * 1_000);
      const data = { state, ema: 2.9, d: 3, tau_fast: 2, tau_persist: 2.5 };
      store.events.add({ id: `mms-${n}-${hour}`, ts, type: "mms", rack_id, data });
    }
    store.actions.put(action(`g${n}`, from_ms + 8.1 * HOUR_MS + n * 60_000, { rack_id }));
  }
  for (let n = 0; n < 60; n++) store.actions.put(saving(n, from_ms + n * 0.35 * HOUR_MS));
  const data = { action_id: "s7", target: "fan_rpm_pct", worsened: `inlet rose ${HOSTILE}` };
  store.events.add({
    id: "rb",
    ts: isoTime(from_ms + 3 * HOUR_MS),
    type: "rollback",
    rack_id: "R-B-02",
    data,
  });
  store.flush();
}

interface Moment {
  rack_id: string;
  seq: number;
  ts_ms: number;
  hour: number;
  /** −1 … 1 */
  wave: number;
}

function writeSample(store: Store, { rack_id, seq, ts_ms, hour, wave }: Moment): void {
  const hot = rack_id.startsWith("R-C") && hour >= 8 && hour < 10;
  const load = 0.75 + 0.25 * Math.sin((hour / 24) * 2 * Math.PI - 2);
  const pdu_kw = 9 * load + (hot ? 2.5 : 0);
  const ts = isoTime(ts_ms);
  const interval_s = STEP_MS / 1000;
  const sample = TelemetrySample.parse({
    ...{ ts, rack_id, seq, interval_s, pdu_kw, queue_depth: 30 + Math.round(10 * wave) },
    inlet_c: 22 + wave + (hot ? 6 : 0),
    outlet_c: 35 + 2 * wave + (hot ? 10 : 0),
    gpu_energy_j: 0.7 * pdu_kw * 1000 * interval_s,
    tokens_ps: 9_500 * load,
    latency_p95_ms: 180 + 20 * wave,
    fan_rpm_pct: 65 + 4 * Math.cos(seq),
    pump_rpm_pct: 55 + 3 * Math.cos(2 * seq),
  });
  store.samples.add(sample, { received_ms: ts_ms, late: false });
  const d = 1.3 + 0.3 * wave + (hot ? 1.9 : 0);
  const state = d >= 2.5 ? "persist" : d >= 2 ? "fast" : "nominal";
  store.samples.attachScore(
    {
      ...{ v: 1, ts, rack_id, seq, d, state, tau_fast: 2, tau_persist: 2.5, cluster: 0, missing: [] },
      contributions: { inlet_c: 0.6, outlet_c: 0.3, pdu_kw: 0.1 },
      model_id: "ims_test",
      scored_by: "agent",
    },
    { state: hot ? "persistent" : "transient", ema: d, above: hot ? 9 : 0, below: hot ? 0 : 9 },
  );
}

function action(id: string, ts_ms: number, changes: Partial<Action>): Action {
  return {
    v: 1,
    id,
    ts: isoTime(ts_ms),
    rack_id: "R-A-01",
    source: "guardrail",
    kind: "pre_cool",
    target: "pump_rpm_pct",
    from: null,
    to: 80,
    mode: "closed_loop",
    outcome: "applied",
    reason: `inlet near its limit ${HOSTILE}`,
    inputs: {},
    ...changes,
  };
}

const SAVINGS = ["fan_rpm_pct", "pump_rpm_pct", "batch_window_ms"] as const;

function saving(n: number, ts_ms: number): Action {
  const judged = n % 2 === 0 ? { realized_saving_kw: 0.1 + 0.01 * (n % 5) } : {};
  return action(`s${n}`, ts_ms, {
    ...{ rack_id: `R-B-${String((n % 12) + 1).padStart(2, "0")}`, source: "optimizer", kind: "optimize" },
    ...{ target: SAVINGS[n % 3]!, from: 65, to: 61, reason: "saves", predicted_saving_kw: 0.2, ...judged },
  });
}
