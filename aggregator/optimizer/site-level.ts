import type { Scorer } from "../../shared/ims/score.ts";

/** A rack with a model of its own has its D on that model's scale; the plan thinks on the site's. */
export function siteLevel(d: number | null, own: Scorer | null, site: Scorer | null): number | null {
  if (d === null || !site || !own || own === site) return d;
  return (d / own.model.tau_fast) * site.model.tau_fast;
}
