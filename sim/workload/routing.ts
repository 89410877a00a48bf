/**
 * The site's request router and admission control. Routing conserves the load: what a rack with a reduced
 * weight does not get goes to the racks of full weight, in proportion to their headroom; what nobody can take
 * stays where it was. Admission control defers low-priority work, which comes back once it is let in again.
 */

/** At most this share of the load is low-priority. */
export const LOW_PRIORITY_SHARE = 0.3;
/** Diverted load fills a rack up to this share of its capacity. */
const FILL_SHARE = 0.62;
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
      for (let i = 0; i < count; i++) {
        const demand = demand_tokens_ps[i]!;
        const weight = percent(racks.target.routing_weight_pct[i]!);
        demand_sum += demand;
        diverted[i] = demand * (1 - weight);
        diverted_sum += diverted[i]!;
        returned_sum += racks.blocked_tokens_ps[i]!;
        headroom[i] = weight < 1 ? 0 : Math.max(0, FILL_SHARE * capacity_tokens_ps - demand);
        headroom_sum += headroom[i]!;
        deferring ||= deferred_tokens_ps[i]! > 0;
      }
      // What full buffers refused in the last step is offered again together with what is diverted now.
      const catch_up = deferring ? 0 : Math.min(totals.deferred_tokens / dt_s, CATCH_UP_SHARE * demand_sum);
      const moved = Math.min(diverted_sum, headroom_sum);
      const caught_up = Math.min(catch_up, headroom_sum - moved);
      const retried = Math.min(returned_sum, headroom_sum - moved - caught_up);
      totals.deferred_tokens -= caught_up * dt_s;
      totals.rejected_tokens += (returned_sum - retried) * dt_s;
      const fill = headroom_sum > 0 ? (moved + caught_up + retried) / headroom_sum : 0;
      const stay = diverted_sum > 0 ? 1 - moved / diverted_sum : 0;

      for (let i = 0; i < count; i++) {
        const routed = demand_tokens_ps[i]! - diverted[i]! * (1 - stay) + headroom[i]! * fill;
        const admitted = Math.max(1 - LOW_PRIORITY_SHARE, percent(racks.target.admission_pct[i]!));
        deferred_tokens_ps[i] = routed * (1 - admitted);
        assigned_tokens_ps[i] = routed * admitted;
        totals.deferred_tokens += deferred_tokens_ps[i]! * dt_s;
      }
    },
  };
}

/** A target in percent as a share; NaN (no target) is all of it. */
function percent(target_pct: number): number {
  return Number.isNaN(target_pct) ? 1 : Math.max(0, Math.min(1, target_pct / 100));
}
