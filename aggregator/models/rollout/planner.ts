import type { RolloutConfig } from "../../../shared/contracts/config.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import { seededRandom } from "../../../shared/random.ts";

export interface PlanRack {
  rack_id: string;
  /** Offline, persistent or in an incident: its figures would say nothing about the model. */
  troubled: boolean;
}

/**
 * Cuts the racks into a canary and waves. The order is a seeded one that goes round the rows, so that every part is
 * spread over them; troubled racks come last. The canary never holds a whole row, unless every row is one rack.
 *
 * @returns racks of each part, none of them empty
 */
export function planWaves(racks: readonly PlanRack[], config: RolloutConfig, seed: string): string[][] {
  const order = spread(racks, seed);
  const wanted = Math.max(config.canary_min, Math.ceil(config.canary_share * racks.length));
  const canary = pickCanary(order, wanted);
  const taken = new Set(canary);
  const rest = order.filter(({ rack_id }) => !taken.has(rack_id)).map(({ rack_id }) => rack_id);
  const waves = [canary];
  let done = canary.length;
  for (const share of config.wave_shares) {
    const upto = Math.max(done, Math.ceil(share * racks.length));
    waves.push(rest.splice(0, upto - done));
    done = upto;
  }
  return waves.filter((wave) => wave.length > 0);
}

function spread(racks: readonly PlanRack[], seed: string): PlanRack[] {
  const random = seededRandom(seed);
  const drawn = [...racks]
    .sort((a, b) => (a.rack_id < b.rack_id ? -1 : 1))
    .map((rack) => ({ rack, draw: random.uniform() }))
    .sort((a, b) => a.draw - b.draw);
  const place = new Map<string, number>();
  const placed = drawn
    .sort((a, b) => Number(a.rack.troubled) - Number(b.rack.troubled) || a.draw - b.draw)
    .map(({ rack, draw }) => {
      const row = rowOf(rack.rack_id);
      const round = place.get(row) ?? 0;
      place.set(row, round + 1);
      return { rack, draw, round };
    });
  return placed
    .sort((a, b) => Number(a.rack.troubled) - Number(b.rack.troubled) || a.round - b.round || a.draw - b.draw)
    .map(({ rack }) => rack);
}

/** Of every row one rack at least stays behind, as long as that leaves any to pick. */
function pickCanary(order: readonly PlanRack[], wanted: number): string[] {
  const left = new Map<string, number>();
  for (const { rack_id } of order) left.set(rowOf(rack_id), (left.get(rowOf(rack_id)) ?? 0) + 1);
  const picked: string[] = [];
  for (const { rack_id } of order) {
    if (picked.length >= wanted) break;
    const row = rowOf(rack_id);
    if (left.get(row) === 1) continue;
    left.set(row, left.get(row)! - 1);
    picked.push(rack_id);
  }
  // Rows of one rack each: then at least one rack of the site stays behind.
  if (picked.length > 0) return picked;
  return order.slice(0, Math.max(1, Math.min(wanted, order.length - 1))).map(({ rack_id }) => rack_id);
}
