import type { Plant } from "../plant/plant.ts";
import type { SensorReadings } from "../plant/sensors.ts";
import type { RackTruth } from "../plant/truth.ts";
import { type CoolantLoop, coolantLoop } from "./coolant.ts";
import { type LatencyHistogram, latencyHistogram } from "./metrics/latency-histogram.ts";
import { type SpeedControl, speedControl } from "./speed-control.ts";

/** vLLM's own bounds of the time to first token, in seconds. */
const TTFT_BOUNDS_S = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
];
/** vLLM's bounds begin at 0.3 s, above an SLA of 250 ms: finer ones come first here. */
const E2E_BOUNDS_S = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.35, 0.4, 0.5, 0.8, 1,
  1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60,
];
/** Mean lengths: what turns a token rate into requests and prompt tokens. */
const TOKENS_PER_REQUEST = 160;
const PROMPT_TOKENS_PER_TOKEN = 1.6;

/** Evens out the seconds' own p95: the p95 over many requests whose p95 jumps is higher than the mean p95. */
const P95_LAG_S = 5;

/** Where temperature probes hang: three at the front, whose mean is the rack's inlet, and one at the back. */
export const PROBES = [
  { name: "Inlet Top", side: "inlet", offset_c: 0.6 },
  { name: "Inlet Middle", side: "inlet", offset_c: 0 },
  { name: "Inlet Bottom", side: "inlet", offset_c: -0.6 },
  { name: "Outlet", side: "outlet", offset_c: 0 },
] as const;
export const PROBE_HUMIDITY_PCT = 45;

/** Everything that one rack's meters, probes and counters have measured, and its controls: behind every protocol. */
export interface Instruments {
  readonly rack_id: string;
  readonly now_ms: number;
  /** Lets the counters follow the plant; to be called after every step, harmless more often. */
  observe(): void;
  /** What the sensors say now; observes as well, for plants that nobody else reports the steps of. */
  read(): SensorReadings;
  /** The rack's power in whole watts, so that a PDU's circuits can add up to it. */
  watts(): number | null;
  truth(): RackTruth;
  loop(): CoolantLoop;
  /** In the order of PROBES; null where the sensor gives no answer. */
  probes_c(): (number | null)[];
  /** Counters since the devices came up. */
  energy_wh(): number;
  generation_tokens(): number;
  prompt_tokens(): number;
  readonly ttft: LatencyHistogram;
  readonly e2e: LatencyHistogram;
  /** The most that the rack may draw; null: no limit. */
  readonly power_cap: { readonly watts: number | null; set(watts: number | null): void };
  readonly fan: SpeedControl;
  readonly pump: SpeedControl;
}

/** At most this much of the time between two looks at the plant is integrated: nobody knows what was in between. */
const GAP_MAX_S = 60;

export function createInstruments(plant: Plant, rack_id: string): Instruments {
  const ttft = latencyHistogram(TTFT_BOUNDS_S);
  const e2e = latencyHistogram(E2E_BOUNDS_S);
  let observed_ms = plant.now_ms;
  let energy_wh = 0;
  let tokens = 0;
  let p95_ms: number | null = null;

  const observe = () => {
    const dt_s = Math.min(GAP_MAX_S, (plant.now_ms - observed_ms) / 1000);
    if (dt_s <= 0) return;
    observed_ms = plant.now_ms;
    const { pdu_kw, tokens_ps, latency_p95_ms } = plant.read(rack_id);
    // A meter without a reading stands still, as the real one does.
    energy_wh += ((pdu_kw ?? 0) * 1000 * dt_s) / 3600;
    tokens += (tokens_ps ?? 0) * dt_s;
    if (latency_p95_ms === null || tokens_ps === null) return;
    p95_ms ??= latency_p95_ms;
    p95_ms += (1 - Math.exp(-dt_s / P95_LAG_S)) * (latency_p95_ms - p95_ms);
    const requests = (tokens_ps * dt_s) / TOKENS_PER_REQUEST;
    ttft.observe(requests, p95_ms / 1000);
    e2e.observe(requests, p95_ms / 1000);
  };

  const read = () => {
    observe();
    return plant.read(rack_id);
  };

  return {
    rack_id,
    get now_ms() {
      return plant.now_ms;
    },
    observe,
    read,
    watts() {
      const { pdu_kw } = read();
      return pdu_kw === null ? null : Math.round(pdu_kw * 1000);
    },
    truth: () => plant.truth(rack_id),
    loop: () => coolantLoop(plant.truth(rack_id)),
    probes_c() {
      const { inlet_c, outlet_c } = read();
      return PROBES.map(({ side, offset_c }) => {
        const value_c = side === "inlet" ? inlet_c : outlet_c;
        return value_c === null ? null : value_c + offset_c;
      });
    },
    energy_wh: () => energy_wh,
    generation_tokens: () => tokens,
    prompt_tokens: () => tokens * PROMPT_TOKENS_PER_TOKEN,
    ttft,
    e2e,
    power_cap: {
      get watts() {
        const cap_kw = plant.target(rack_id, "power_cap_kw");
        return cap_kw === null ? null : Math.round(cap_kw * 1000);
      },
      set: (watts) => plant.setTarget(rack_id, "power_cap_kw", watts === null ? null : watts / 1000),
    },
    fan: speedControl(plant, rack_id, "fan_rpm_pct"),
    pump: speedControl(plant, rack_id, "pump_rpm_pct"),
  };
}
