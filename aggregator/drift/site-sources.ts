import type { Clock } from "../../shared/time.ts";
import type { Fleet } from "../fleet.ts";
import type { Store } from "../store/store.ts";
import type { ExclusionSources, Span } from "./exclusions.ts";

/** A device that is driven may have been so since long before the span. */
const BEFORE_MS = 7 * 86_400_000;
const ACTIONS_MAX = 100_000;

/** What the store knows of a span's incidents, maintenance and commands. */
export function siteSources(
  { fleet, store, clock }: { fleet: Fleet; store: Store; clock: Clock },
  { from_ms, to_ms }: Span,
): ExclusionSources {
  return {
    racks: fleet.racks,
    incidents: store.incidents.activeOrClosedSince(from_ms),
    maintenance: store.maintenance.all(),
    actions: store.actions.between(from_ms - BEFORE_MS, to_ms, ACTIONS_MAX).reverse(),
    now_ms: clock.now(),
  };
}
