import type { ModelFile } from "../../../shared/contracts/model.ts";
import { believed } from "../../../shared/ims/believed.ts";
import { rowBuffer } from "../../../shared/ims/rows.ts";
import { toFeatures } from "../../../shared/ims/to-features.ts";
import type { SampleStore } from "../../store/store.ts";
import type { ReferenceRows } from "./diff.ts";

/** The day before says what the site does; older samples may say what it did in another season. */
const SPAN_MS = 86_400_000;
/** How many rows are wanted, and at how many instants they are looked for at most. */
const STORED_ROWS = 2_000;
const INSTANTS_MAX = 96;
/** A rack that sends at least this often is met at every instant, and no sample twice. */
const WITHIN_MS = 15_000;

/** The golden samples of both models, and each rack's samples at evenly spread instants of the last day at most. */
export function referenceRows(
  a: ModelFile,
  b: ModelFile,
  samples: SampleStore,
  site: { now_ms: number; racks: number },
): ReferenceRows {
  const golden = Float64Array.from([...a.golden, ...b.golden].flatMap(({ x }) => x));
  const span_ms = Math.min(SPAN_MS, site.now_ms - (samples.oldestMs() ?? site.now_ms));
  const wanted = Math.min(INSTANTS_MAX, Math.ceil(STORED_ROWS / Math.max(1, site.racks)));
  const instants = Math.max(1, Math.min(wanted, Math.floor(span_ms / WITHIN_MS)));
  const stored = rowBuffer(undefined, STORED_ROWS);
  for (let i = 0; i < instants; i++) {
    const at_ms = site.now_ms - (i * span_ms) / instants;
    for (const { sample } of samples.at(at_ms, WITHIN_MS)) stored.push(toFeatures(believed(sample)));
  }
  return { golden, stored: stored.matrix() };
}
