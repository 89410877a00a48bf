/**
 * The site's admission control and request router. Admission control comes first: it defers low-priority work
 * meant for a rack, which comes back once all work is let in again. Routing conserves the load: what a rack with a
 * reduced weight does not get goes to the racks of full weight, in proportion to their headroom; what nobody can
 * take stays where it was.
 */

/** At most this share of the load is low-priority. */
const LOW_PRIORITY_SHARE = 0.3;
/** Diverted load fills a rack up to this share of its capacity. */
const FILL_SHARE = 0.64;
/** Running conversations stay where they are: a new weight takes hold as they end (mean length). */
const SESSION_S = 45;
/** Deferred work comes back at no more than this share of the site's demand. */
const CATCH_UP_SHARE = 0.03;

/** The columns that routing reads and writes. */
export interface RoutingColumns {
  count: number;
  demand_tokens_ps: Float64Array;
  assigned_tokens_ps: Float64Array;
  deferred_tokens_ps: Float64Array;
  blocked_tokens_ps: Float64Array;
  target: { routing_weight_pct: Float64Array; admission_pct: Float64Array };
}

export interface RoutingTotals {
  /** Low-priority work that waits to be let in. */
  deferred_tokens: number;
  /** Work that no rack had room for; its users were turned away. */
  rejected_tokens: number;
}

export interface Router {
  totals: RoutingTotals;
  assign(racks: RoutingColumns, dt_s: number): void;
}

export function createRouter(count: number, capacity_tokens_ps: number): Router {
  const headroom = new Float64Array(count);
  const diverted = new Float64Array(count);
  const weights = new Float64Array(count).fill(1);
  const totals: RoutingTotals = { deferred_tokens: 0, rejected_tokens: 0 };

  return {
    totals,
    assign(racks, dt_s) {
      const { demand_tokens_ps, assigned_tokens_ps, deferred_tokens_ps } = racks;
      let demand_sum = 0;
      let diverted_sum = 0;
      let returned_sum = 0;
      let headroom_sum = 0;
      let deferring = false;
      const follow = 1 - Math.exp(-dt_s / SESSION_S);
      for (let i = 0; i < count; i++) {
        const demand = demand_tokens_ps[i]!;
        const admitted = demand * Math.max(1 - LOW_PRIORITY_SHARE, percent(racks.target.admission_pct[i]!));
        deferring ||= admitted < demand;
        deferred_tokens_ps[i] = demand - admitted;
        totals.deferred_tokens += deferred_tokens_ps[i]! * dt_s;

        const wanted = percent(racks.target.routing_weight_pct[i]!);
        weights[i]! += follow * (wanted - weights[i]!);
        diverted[i] = admitted * (1 - weights[i]!);
        assigned_tokens_ps[i] = admitted;
        headroom[i] = wanted < 1 ? 0 : Math.max(0, FILL_SHARE * capacity_tokens_ps - admitted);
        demand_sum += demand;
        diverted_sum += diverted[i]!;
        returned_sum += racks.blocked_tokens_ps[i]!;
        headroom_sum += headroom[i]!;
      }
      // What full buffers refused in the last step is offered again together with what is diverted now.
      const catch_up = deferring ? 0 : Math.min(totals.deferred_tokens / dt_s, CATCH_UP_SHARE * demand_sum);
      const moved = Math.min(diverted_sum, headroom_sum);
      const caught_up = Math.min(catch_up, headroom_sum - moved);
      const retried = Math.min(returned_sum, headroom_sum - moved - caught_up);
      totals.deferred_tokens -= caught_up * dt_s;
      totals.rejected_tokens += (returned_sum - retried) * dt_s;

      const leaving = diverted_sum > 0 ? moved / diverted_sum : 0;
      const filling = headroom_sum > 0 ? (moved + caught_up + retried) / headroom_sum : 0;
      for (let i = 0; i < count; i++)
        assigned_tokens_ps[i]! += headroom[i]! * filling - diverted[i]! * leaving;
    },
  };
}

/** A target in percent as a share; NaN (no target) is all of it. */
function percent(target_pct: number): number {
  return Number.isNaN(target_pct) ? 1 : Math.max(0, Math.min(1, target_pct / 100));
}
