import type { ModelFile } from "../../shared/contracts/model.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { thresholdsAt } from "../../shared/ims/thresholds.ts";

type Rack = Record<(typeof FEATURES)[number], number>;

/** What a fault of full severity does to a rack in nominal operation; at severity s, so much of it. */
interface Anomaly {
  name: string;
  apply(rack: Rack, severity: number): void;
}

/** Share of the day's severities that the simulator injects faults with, too. */
const SEVERITIES = [0.5, 0.75, 1] as const;

/**
 * Anomalies that physics brings about, whatever the site: with less air the same heat leaves at a higher outlet
 * (ΔT = Q / (ρ·c_p·flow)), what the water no longer takes goes into the air, warmer supply raises inlet and outlet
 * alike, load takes power, latency and queue along; and the rack's own control answers heat with fan and pump.
 */
const ANOMALIES: readonly Anomaly[] = [
  {
    name: "fan_failure",
    apply(rack, s) {
      rack.fan_rpm_pct *= 1 - 0.6 * s;
      widen(rack, 1 / (1 - 0.5 * s));
      rack.pump_rpm_pct += 14 * s;
    },
  },
  {
    name: "pump_degradation",
    apply(rack, s) {
      widen(rack, 1 + 0.4 * s);
      rack.fan_rpm_pct += 25 * s;
      rack.pump_rpm_pct += 22 * s;
    },
  },
  {
    name: "tile_blockage",
    apply(rack, s) {
      warm(rack, 7 * s);
      rack.fan_rpm_pct += 20 * s;
      rack.pump_rpm_pct += 15 * s;
    },
  },
  {
    name: "air_handler_failure",
    apply(rack, s) {
      warm(rack, 9 * s);
      rack.fan_rpm_pct += 18 * s;
      rack.pump_rpm_pct += 14 * s;
    },
  },
  {
    name: "load_surge",
    apply(rack, s) {
      for (const name of ["pdu_kw", "gpu_power_kw", "tokens_ps"] as const) rack[name] *= 1 + 0.6 * s;
      rack.latency_p95_ms *= 1 + 0.5 * s;
      rack.queue_depth *= 1 + 2 * s;
      widen(rack, 1 + 0.25 * s);
      rack.fan_rpm_pct += 15 * s;
      rack.pump_rpm_pct += 12 * s;
    },
  },
];

function widen(rack: Rack, factor: number): void {
  rack.delta_t *= factor;
  rack.outlet_c = rack.inlet_c + rack.delta_t;
}

function warm(rack: Rack, by_k: number): void {
  rack.inlet_c += by_k;
  rack.outlet_c += by_k;
}

/**
 * How many of the anomalies a model would see, each on top of operation that the model itself takes for nominal: its
 * centres and its golden samples below tau_fast. A model that was taught anomalies, or whose scale they widened, sees
 * fewer than one that was not.
 *
 * @returns share with D ≥ tau_persist, over all and per anomaly
 */
export function anomaliesFound(model: ModelFile): { share: number; by_name: Record<string, number> } {
  const scorer = createScorer(model);
  const healthy = healthyRows(model);
  const by_name: Record<string, number> = {};
  for (const { name, apply } of ANOMALIES) {
    let found = 0;
    for (const row of healthy) {
      for (const severity of SEVERITIES) {
        const rack = Object.fromEntries(FEATURES.map((feature, j) => [feature, row[j]!])) as Rack;
        apply(rack, severity);
        rack.fan_rpm_pct = Math.min(100, rack.fan_rpm_pct);
        rack.pump_rpm_pct = Math.min(100, rack.pump_rpm_pct);
        const { d, cluster } = scorer.score(Float64Array.from(FEATURES, (feature) => rack[feature]));
        if (d >= thresholdsAt(model, cluster).tau_persist) found++;
      }
    }
    by_name[name] = found / (healthy.length * SEVERITIES.length);
  }
  const shares = Object.values(by_name);
  return { share: shares.reduce((sum, share) => sum + share, 0) / shares.length, by_name };
}

function healthyRows({ centers, scaler, golden, tau_fast }: ModelFile): number[][] {
  const physical = centers.map((z) => z.map((value, j) => value * scaler.scale[j]! + scaler.mean[j]!));
  return [...physical, ...golden.filter(({ d }) => d < tau_fast).map(({ x }) => x)];
}
