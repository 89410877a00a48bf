import type { Assignment, AssignmentReason, Release } from "../../../shared/contracts/manifest.ts";
import { CHUNKS_MAX } from "../../../shared/contracts/manifest.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import type { Pin } from "../../../shared/contracts/registry.ts";
import { offeredRacks, type SiteModels } from "../rollout/state.ts";

/** Which model a rack is to run, and why; racks that run the site's are left out. */
export interface Target {
  sha256: string;
  reason: AssignmentReason;
}

/**
 * Who runs another model than the site's: a rack's pin comes before its row's, and that before a rollout.
 *
 * @param racks of the site
 */
export function targetsOf(
  racks: readonly string[],
  pins: readonly Pin[],
  site: SiteModels,
): Map<string, Target> {
  const pinned = new Map(pins.map((pin) => [pin.scope, pin.sha256]));
  const { canary, wave } = offeredRacks(site.rollout);
  const offered = new Map<string, AssignmentReason>();
  for (const rack_id of canary) offered.set(rack_id, "canary");
  for (const rack_id of wave) offered.set(rack_id, "wave");
  const targets = new Map<string, Target>();
  for (const rack_id of racks) {
    const own = pinned.get(rack_id);
    const of_row = pinned.get(rowOf(rack_id));
    const reason = offered.get(rack_id);
    if (own) targets.set(rack_id, { sha256: own, reason: "pin" });
    else if (of_row) targets.set(rack_id, { sha256: of_row, reason: "row" });
    else if (reason) targets.set(rack_id, { sha256: site.rollout!.model.sha256, reason });
  }
  return targets;
}

/** A payload is cut into parts of so many bytes: brokers and agents take more, but not all of them much more. */
export const CHUNK_BYTES = 131_072;

export interface Composition {
  release: Release;
  assignments: Assignment[];
  /** Those that travel inline. */
  models: ModelFile[];
  /** The parts of the others, by SHA-256. */
  chunks: Map<string, Buffer[]>;
}

/**
 * What a manifest says, and what must be retained before it.
 *
 * @param file the model of a hash; null if it is gone, and then nobody is assigned to it
 * @param inline_max_bytes models travel inline as long as they are no larger together
 * @returns null if the site's own model is gone
 */
export function compose(
  site_sha256: string,
  targets: ReadonlyMap<string, Target>,
  file: (sha256: string) => ModelFile | null,
  inline_max_bytes: number,
): Composition | null {
  let inline_bytes = 0;
  const models: ModelFile[] = [];
  const chunks = new Map<string, Buffer[]>();
  const releases = new Map<string, Release | null>();
  const releaseOf = (sha256: string): Release | null => {
    const known = releases.get(sha256);
    if (known !== undefined) return known;
    const model = file(sha256);
    const made = model && pack(model);
    releases.set(sha256, made);
    return made;
  };
  const pack = (model: ModelFile): Release => {
    const payload = Buffer.from(JSON.stringify(model));
    const release = { model_id: model.id, sha256: model.sha256, bytes: payload.length };
    if (inline_bytes + payload.length <= inline_max_bytes) {
      inline_bytes += payload.length;
      models.push(model);
      return { ...release, chunks: 0 };
    }
    const parts = cut(payload);
    chunks.set(model.sha256, parts);
    return { ...release, chunks: parts.length };
  };
  const release = releaseOf(site_sha256);
  if (!release) return null;
  const assignments = new Map<string, Assignment>();
  for (const [rack_id, { sha256, reason }] of targets) {
    const assigned = releaseOf(sha256);
    if (!assigned) continue;
    const key = `${reason} ${sha256}`;
    const assignment = assignments.get(key) ?? { release: assigned, reason, racks: [] };
    assignment.racks.push(rack_id);
    assignments.set(key, assignment);
  }
  return { release, assignments: [...assignments.values()], models, chunks };
}

function cut(payload: Buffer): Buffer[] {
  const bytes = Math.max(CHUNK_BYTES, Math.ceil(payload.length / CHUNKS_MAX));
  return Array.from({ length: Math.ceil(payload.length / bytes) }, (_, n) =>
    payload.subarray(n * bytes, (n + 1) * bytes),
  );
}
