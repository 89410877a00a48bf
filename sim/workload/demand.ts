import type { Random } from "../../shared/random.ts";
import { relax, spread } from "./processes.ts";

/** Levels of the day's demand per rack. */
const NIGHT_TOKENS_PS = 3_900;
const DAY_TOKENS_PS = 8_200;
/** What the racks with interactive users get on top in office hours; these are one of each pair of racks. */
const OFFICE_TOKENS_PS = 3_100;

/** Lasting difference between racks (standard deviation). */
const SHARE_SPREAD = 0.012;

/** Slow change of each rack's share (jobs come and go): standard deviation and correlation time. */
const DRIFT_SHARE = 0.015;
const DRIFT_S = 1_200;
const DRIFT_PERIOD_S = 60;

/**
 * Arrivals within seconds: standard deviation and correlation time of the rate. Long prompts of batch jobs make
 * the burstiness, and these run day and night; interactive traffic is smooth by the number of its users.
 */
const JITTER_TOKENS_PS = 1_200;
const JITTER_S = 1.2;

/** Bursts (a batch job starts): mean spacing per rack by night, when such jobs are scheduled, and by day. */
const NIGHT_BURST_SPACING_S = 100;
const DAY_BURST_SPACING_S = 140;
/** Height and decay of a burst, and the load from which on a rack has no room for one. */
const BURST_TOKENS_PS = [3_500, 7_000] as const;
const BURST_DECAY_S = 2.5;
const BURST_LOAD_MAX_TOKENS_PS = 12_000;
/** How long the router remembers where it sent the last bursts. */
const BURST_MEMORY_S = 60;

/** How fast a steady job's demand comes and goes. */
const LOAD_RAMP_TOKENS_PS2 = 250;

/** The columns that demand reads and writes. */
interface DemandColumns {
  count: number;
  demand_tokens_ps: Float64Array;
  assigned_tokens_ps: Float64Array;
  offered_tokens_ps: Float64Array;
  burst_tokens_ps: Float64Array;
  condition: { load_factor: Float64Array; load_floor_tokens_ps: Float64Array };
}

export interface Demand {
  /** Sets every rack's mean demand (before routing) for this instant. */
  update(racks: DemandColumns, now_ms: number, dt_s: number): void;
  /** Turns the assigned rates into what arrives in this very step. */
  arrive(racks: DemandColumns, dt_s: number): void;
}

/**
 * Open arrivals with a daily curve over the UTC hour: demand does not wait for the racks to be ready.
 *
 * @param mean_shares each rack's usual share of the load, 1 being the average
 */
export function createDemand(mean_shares: readonly number[], random: Random): Demand {
  const count = mean_shares.length;
  const share = Float64Array.from(mean_shares, (mean) => mean * spread(random, SHARE_SPREAD));
  const interactive = new Float64Array(count);
  for (let pair = 0; pair < count; pair += 2) {
    const chosen = pair + (random.uniform() < 0.5 ? 0 : 1);
    if (chosen < count) interactive[chosen] = random.range(0.98, 1.03);
  }
  const drift = Float64Array.from({ length: count }, () => DRIFT_SHARE * random.normal());
  const jitter = new Float64Array(count);
  const floor = new Float64Array(count);
  let drift_age_s = 0;
  const randomRack = () => Math.floor(random.uniform() * count);
  let burst_spacing_s = NIGHT_BURST_SPACING_S;
  const nextBurst = () => -Math.log(1 - random.uniform()) * (burst_spacing_s / count);
  let next_burst_s = nextBurst();
  const recent = new Float64Array(count);
  /**
   * A load-aware router spreads the bursts: of two random racks, the one with more room and no burst of late is the
   * likelier (after Mitzenmacher, "The power of two choices", 2001).
   */
  const burstTaker = (racks: DemandColumns) => {
    const [one, other] = [randomRack(), randomRack()];
    const room = (i: number) =>
      Math.max(1, (BURST_LOAD_MAX_TOKENS_PS - racks.assigned_tokens_ps[i]!) * (1 - recent[i]!));
    return random.uniform() * (room(one) + room(other)) < room(one) ? one : other;
  };

  return {
    update(racks, now_ms, dt_s) {
      drift_age_s += dt_s;
      if (drift_age_s >= DRIFT_PERIOD_S) {
        drift_age_s -= DRIFT_PERIOD_S;
        relax(drift, DRIFT_SHARE, Math.exp(-DRIFT_PERIOD_S / DRIFT_S), random);
      }
      const hour = (((now_ms / 3_600_000) % 24) + 24) % 24;
      const daytime = dayShare(hour);
      const base = NIGHT_TOKENS_PS + (DAY_TOKENS_PS - NIGHT_TOKENS_PS) * daytime;
      burst_spacing_s = NIGHT_BURST_SPACING_S + (DAY_BURST_SPACING_S - NIGHT_BURST_SPACING_S) * daytime;
      const office = OFFICE_TOKENS_PS * officeLevel(hour);
      const ramp = LOAD_RAMP_TOKENS_PS2 * dt_s;
      const { load_factor, load_floor_tokens_ps } = racks.condition;
      for (let i = 0; i < count; i++) {
        const level = (base + office * interactive[i]!) * share[i]! * (1 + drift[i]!) * load_factor[i]!;
        const gap = load_floor_tokens_ps[i]! - floor[i]!;
        floor[i]! += Math.max(-ramp, Math.min(ramp, gap));
        racks.demand_tokens_ps[i] = Math.max(level, floor[i]!);
      }
    },
    arrive(racks, dt_s) {
      relax(jitter, JITTER_TOKENS_PS, Math.exp(-dt_s / JITTER_S), random);
      const decay = Math.exp(-dt_s / BURST_DECAY_S);
      const forget = Math.exp(-dt_s / BURST_MEMORY_S);
      for (next_burst_s -= dt_s; next_burst_s <= 0; next_burst_s += nextBurst()) {
        const taker = burstTaker(racks);
        racks.burst_tokens_ps[taker]! += random.range(...BURST_TOKENS_PS);
        recent[taker] = 1;
      }
      for (let i = 0; i < count; i++) {
        const mean = racks.assigned_tokens_ps[i]!;
        const arrived = mean + racks.burst_tokens_ps[i]! + jitter[i]!;
        racks.offered_tokens_ps[i] = Math.max(0.1 * mean, arrived);
        racks.burst_tokens_ps[i]! *= decay;
        recent[i]! *= forget;
      }
    },
  };
}

/** 0 by night to 1 by day: lowest around 03 UTC, broad plateau around 15 UTC: a cosine with its slopes steepened. */
function dayShare(hour: number): number {
  const wave = -Math.cos(((hour - 3) / 24) * 2 * Math.PI);
  const steep = Math.tanh(1.5 * wave) / Math.tanh(1.5);
  return 0.5 + 0.5 * steep;
}

/** 1 from 09 to 18 UTC with flanks of about an hour. */
function officeLevel(hour: number): number {
  const edge = (x: number) => 1 / (1 + Math.exp(-x / 0.3));
  return edge(hour - 9) * edge(18 - hour);
}
