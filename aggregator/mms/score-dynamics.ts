/**
 * How D moves in time, in nominal operation. `slow_share`: the share of ln D's variance that is still there a minute
 * later (the operating point); `effective_share`: independent scores per score, of the rest.
 */
export interface Dynamics {
  slow_share: number;
  effective_share: number;
}

/** Until enough has been seen: cautious on both counts. */
export const DYNAMICS_UNKNOWN: Dynamics = { slow_share: 0.15, effective_share: 0.7 };

/** Scores after which what stays is the operating point: a minute at one score in 5 s. */
const SLOW_LAG = 12;
/** Scores that must have been seen, and those after which older ones fade: about a day of 72 racks. */
const SCORES_MIN = 5_000;
const SCORES_MEMORY = 1_000_000;
const SLOW_SHARE_MAX = 0.6;
const EFFECTIVE_SHARE_MIN = 0.1;

export interface DynamicsState {
  count: number;
  sum: number;
  square: number;
  /** Sums of products of scores one apart and SLOW_LAG apart. */
  next: number;
  slow: number;
}

export interface DynamicsTracker {
  /** One score of one rack in nominal operation; any other score interrupts the rack's series. */
  add(rack_id: string, log_d: number | null): void;
  dynamics(): Dynamics;
  state(): DynamicsState;
}

/** Learns from all racks' scores together; moments about `centre` (the trained mean of ln D) stay well conditioned. */
export function trackDynamics(centre: number, start?: DynamicsState): DynamicsTracker {
  const sums: DynamicsState = start ? { ...start } : { count: 0, sum: 0, square: 0, next: 0, slow: 0 };
  const recent = new Map<string, number[]>();
  return {
    add(rack_id, log_d) {
      if (log_d === null) {
        recent.delete(rack_id);
        return;
      }
      const series = recent.get(rack_id) ?? [];
      recent.set(rack_id, series);
      const y = log_d - centre;
      if (series.length === SLOW_LAG) {
        if (sums.count >= SCORES_MEMORY) for (const key of KEYS) sums[key] *= 0.5;
        sums.count++;
        sums.sum += y;
        sums.square += y * y;
        sums.next += y * series[SLOW_LAG - 1]!;
        sums.slow += y * series[0]!;
        series.shift();
      }
      series.push(y);
    },
    dynamics: () => dynamicsOf(sums),
    state: () => ({ ...sums }),
  };
}

const KEYS = ["count", "sum", "square", "next", "slow"] as const;

/**
 * Of the autocovariance at lag 1 and SLOW_LAG. What remains of the fast part at lag 1 is taken for an AR(1) process of
 * coefficient φ, of which n values hold as much on their mean as n·(1 − φ)/(1 + φ) independent ones.
 */
function dynamicsOf({ count, sum, square, next, slow }: DynamicsState): Dynamics {
  if (count < SCORES_MIN) return DYNAMICS_UNKNOWN;
  const mean = sum / count;
  const variance = square / count - mean * mean;
  if (!(variance > 0)) return DYNAMICS_UNKNOWN;
  const slow_share = clamp((slow / count - mean * mean) / variance, 0, SLOW_SHARE_MAX);
  const next_share = (next / count - mean * mean) / variance;
  const phi = clamp((next_share - slow_share) / (1 - slow_share), 0, 1);
  return { slow_share, effective_share: Math.max(EFFECTIVE_SHARE_MIN, (1 - phi) / (1 + phi)) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
