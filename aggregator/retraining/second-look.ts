import { intervalBuilder } from "../../shared/ims/evaluate.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { createScorer } from "../../shared/ims/score.ts";
import { thresholdsAt } from "../../shared/ims/thresholds.ts";
import { LEAD_MS, SETTLE_MS, type Span, usableRows, within } from "../drift/exclusions.ts";
import type { RackSeries, ReadSeries } from "../drift/stored-series.ts";
import { type MmsFilter, nextFilter } from "../mms/filter.ts";
import type { RetrainRequest } from "./retrain.ts";
import { type Trained, tryTraining, type UsableRows } from "./training.ts";

const F = FEATURES.length;
/** Faults befall single racks; what alarms on so many of them is the operation of the site, well or not. */
const RACKS_SHARE_MIN = 0.5;
/** Each look goes as far beyond what was learnt as the model generalises; what is further away is for people. */
const LOOKS_MAX = 3;

export interface SecondLook {
  trained: Trained;
  /** Racks with time that incidents had left out and nobody judged. */
  racks: number;
  /** How much of that time was taken back. */
  share: number;
}

/**
 * Takes back what incidents that nobody judged had left out, as far as a model that has not learnt it sees nothing in
 * it, and trains again; the new model looks at what remains. In a new season the alarms of the old model are the upper
 * end of what is normal now: without it, the next model alarms there as well. A fault stays out: it is far from what
 * its rack was learnt from.
 *
 * @returns none where such incidents are a matter of few racks, or nothing can be taken back
 */
export function lookAgain(
  request: RetrainRequest,
  read: ReadSeries,
  models: readonly Trained[],
): SecondLook[] {
  const { racks } = countLeftOut(request, read, request.range);
  if (racks < RACKS_SHARE_MIN * request.racks.length) return [];
  return models.flatMap((first) => {
    const taken = takeBack(request, read, first);
    return taken ? [{ ...taken, racks }] : [];
  });
}

function takeBack(
  request: RetrainRequest,
  read: ReadSeries,
  first: Trained,
): Omit<SecondLook, "racks"> | null {
  const { scope, span } = first;
  const suffix = `${first.suffix}_unjudged`;
  let trained = first;
  let usable: UsableRows = (series) => usableRows(series, request.exclusions);
  for (let look = 0; look < LOOKS_MAX; look++) {
    const alarms = alarmSpans(request, read, trained);
    const more: UsableRows = (series) => takenBack(series, request, alarms.get(series.rack_id) ?? []);
    const [next] = tryTraining(request, read, { scope, span, suffix, usable: more });
    if (!next || next.data_sha256 === trained.data_sha256) break;
    trained = next;
    usable = more;
  }
  if (trained === first) return null;
  const [before, after] = [countLeftOut(request, read, span), countLeftOut(request, read, span, usable)];
  return { trained, share: 1 - after.rows / before.rows };
}

/** What nothing speaks against, and of the rest what nobody judged and the model does not alarm at. */
function takenBack(
  series: RackSeries,
  { exclusions, lenient }: RetrainRequest,
  alarms: readonly Span[],
): Uint8Array {
  const alarmed = within(series.ts_ms, alarms);
  const possible = usableRows(series, lenient);
  return usableRows(series, exclusions).map((usable, i) => (usable || (possible[i] && !alarmed[i]) ? 1 : 0));
}

/** Time that only incidents which nobody judged leave out, less what is usable all the same. */
function countLeftOut(
  request: RetrainRequest,
  read: ReadSeries,
  { from_ms, to_ms }: Span,
  usable: UsableRows = (series) => usableRows(series, request.exclusions),
) {
  const stride = Math.max(1, Math.round(60_000 / request.interval_ms));
  const counted = { racks: 0, rows: 0 };
  for (const { rack_id } of request.racks) {
    const series = read(rack_id, from_ms, to_ms, stride);
    const taken = usable(series);
    const rows = usableRows(series, request.lenient).filter((possible, i) => possible && !taken[i]).length;
    if (rows > 0) counted.racks++;
    counted.rows += rows;
  }
  return counted;
}

/** Where MMS would call racks persistent under the model, with the time around it that an incident leaves out. */
function alarmSpans({ racks, mms }: RetrainRequest, read: ReadSeries, { model, span }: Trained) {
  const scorer = createScorer(model);
  return new Map(
    racks.map(({ rack_id }) => {
      const { ts_ms, x } = read(rack_id, span.from_ms, span.to_ms, 1);
      const alarms = intervalBuilder();
      let filter: MmsFilter | null = null;
      for (let i = 0; i < ts_ms.length; i++) {
        const { d, cluster } = scorer.score(x.subarray(i * F, i * F + F));
        if (Number.isNaN(d)) continue;
        filter = nextFilter(filter, { d, ...thresholdsAt(model, cluster) }, mms);
        alarms.at(ts_ms[i]!, filter.state === "persistent");
      }
      const spans = alarms
        .end()
        .map(({ start_ms, end_ms }) => ({ from_ms: start_ms - LEAD_MS, to_ms: end_ms + SETTLE_MS }));
      return [rack_id, spans] as const;
    }),
  );
}
