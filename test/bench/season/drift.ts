import { compareDrift } from "../../../aggregator/drift/compare.ts";
import { countRows, driftLayout } from "../../../aggregator/drift/count.ts";
import type { Span } from "../../../aggregator/drift/exclusions.ts";
import { driftSentences } from "../../../aggregator/drift/wording.ts";
import type { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { DriftLevel } from "../../../shared/contracts/drift.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import { DAY_S, RACKS } from "../fault-schedule.ts";
import type { Site } from "./site.ts";

const DAY_MS = DAY_S * 1000;
/** Thins the rows to one a minute, as the aggregator does. */
const STRIDE = 12;
/** Between two checks, as shipped. */
const PERIOD_MS = 3 * 3_600_000;

export interface DriftSummary {
  level: DriftLevel;
  rows: number;
  racks: number;
  sentences: string[];
  /** Whether so many checks in a row find major drift that the aggregator would retrain. */
  retrains: boolean;
}

/** The drift check of the day before `at_ms` of the model in force, and those that came before it. */
export function driftAt(
  site: Site,
  model: ModelFile,
  baseline: Span,
  at_ms: number,
  config: Pick<AggregatorConfig, "drift" | "limits">,
): DriftSummary {
  const layout = driftLayout(model, () => []);
  const exclusions = site.exclusions({ site_incidents: true });
  const count = ({ from_ms, to_ms }: Span) =>
    countRows(
      RACKS.map((rack_id) => site.read(rack_id, from_ms, to_ms, STRIDE)),
      { model, layout, exclusions, limits: config.limits },
    );
  const rows = Object.fromEntries(
    [...new Set(RACKS.map(rowOf))].map((row) => [row, RACKS.filter((id) => rowOf(id) === row)]),
  );
  const known = count(baseline).racks;
  const checks = Array.from({ length: Math.max(1, config.drift.retrain_after) }, (_, i) => {
    const to_ms = at_ms - i * PERIOD_MS;
    const window = count({ from_ms: to_ms - DAY_MS, to_ms });
    const settings = config.drift;
    return {
      ...compareDrift({ model, layout, baseline: known, window: window.racks, rows, settings }),
      excluded_share: window.excluded_rows / window.rows,
      outside_share: window.outside_rows / (window.rows - window.excluded_rows),
    };
  });
  const last = checks[0]!;
  const drifting = (scopes: readonly { level: DriftLevel }[]) =>
    scopes.filter(({ level }) => level === "moderate" || level === "major").length;
  return {
    level: last.site.level,
    rows: drifting(last.rows),
    racks: drifting(last.racks),
    sentences: driftSentences(last, config.drift.hours_min),
    retrains: checks.every(({ site: { level } }) => level === "major"),
  };
}
