import * as z from "zod";
import type { BinnedDistribution } from "../../shared/contracts/model.ts";
import type { SettingStore } from "../store/store.ts";
import type { RackOccupancies } from "./compare.ts";
import { hoursOf, pooled } from "./occupancy.ts";

/** How each rack was when the model was made or came into force: what its later operation is held against. */
export interface Baseline {
  sha256: string;
  bins: readonly BinnedDistribution[];
  racks: RackOccupancies;
}

const SETTING = "drift_baseline";

const Numbers = z.array(z.number());
const Kept = z.object({
  sha256: z.string(),
  bins: z.array(z.object({ edges: Numbers, shares: Numbers })),
  racks: z.record(z.string(), z.object({ spans: Numbers, rows: Numbers, counts: Numbers, sums: Numbers })),
});

/** The baseline of a model; null while there is none. */
export function readBaseline(settings: SettingStore, sha256: string): Baseline | null {
  const kept = Kept.safeParse(settings.get(SETTING));
  return kept.success && kept.data.sha256 === sha256 ? kept.data : null;
}

export function keepBaseline(settings: SettingStore, baseline: Baseline): void {
  settings.put(SETTING, baseline);
}

/** Whether operation covers enough of the day to be held against later. */
export function coversDay(racks: RackOccupancies, hours_min: number): boolean {
  const all = Object.values(racks);
  return all.length > 0 && hoursOf(pooled(all)).length >= hours_min;
}
