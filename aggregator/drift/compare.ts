import type { DriftFinding, DriftLevel, DriftScope } from "../../shared/contracts/drift.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type BinLayout, hoursOf, type Occupancy, observedOver, pooled } from "./occupancy.ts";
import { indexByChance, type Observed, stabilityIndex } from "./psi.ts";

/** D in units of the model's tau_fast, so that models compare. */
export const D_RATIO = "d_ratio";

interface DriftSettings {
  /** Hours of the day at least that both sides must have. */
  hours_min: number;
  moderate_psi: number;
  major_psi: number;
  /** The chance that a check finds anything at all on a site where nothing has changed. */
  false_alarm: number;
}

export type RackOccupancies = Readonly<Record<string, Occupancy>>;

export interface Comparison {
  model: ModelFile;
  layout: BinLayout;
  /** Of each rack: then and now. */
  baseline: RackOccupancies;
  window: RackOccupancies;
  rows: Readonly<Record<string, readonly string[]>>;
  settings: DriftSettings;
}

/**
 * Compares operation now with what the model learnt (the site) and with what was kept as baseline (rows and racks: each
 * has its own habits, which the whole site's distribution would take for drift). Only hours of the day that both sides
 * have are compared, each with the same weight, because load follows the day.
 */
export function compareDrift(comparison: Comparison): Pick<DriftReportParts, "site" | "rows" | "racks"> {
  const { window, rows } = comparison;
  const racks = Object.keys(window).sort();
  const quantities = comparison.layout.bins.length;
  const one = (scope: DriftScope["scope"], name: string, members: readonly string[], tests: number) =>
    compareScope(comparison, { scope, name, members, tests: tests * quantities });
  const row_names = Object.keys(rows);
  return {
    site: one("site", "site", racks, 1),
    rows: row_names.map((row) => one("row", row, rows[row]!, row_names.length)),
    racks: racks.map((rack_id) => one("rack", rack_id, [rack_id], racks.length)),
  };
}

interface DriftReportParts {
  site: DriftScope;
  rows: DriftScope[];
  racks: DriftScope[];
}

interface ScopeQuestion {
  scope: DriftScope["scope"];
  name: string;
  members: readonly string[];
  /** How many indices are looked at on this level: the more, the larger one is by chance. */
  tests: number;
}

function compareScope(
  { model, layout, baseline, window, settings }: Comparison,
  { scope, name, members, tests }: ScopeQuestion,
): DriftScope {
  const now = members.flatMap((rack_id) => window[rack_id] ?? []);
  const before = members.flatMap((rack_id) => baseline[rack_id] ?? []);
  const nothing = {
    scope,
    name,
    level: "unknown" as const,
    against: "baseline" as const,
    hours: 0,
    rows: 0,
    findings: [],
  };
  if (now.length === 0) return nothing;
  const current = pooled(now);
  const rows = current.rows.reduce((sum, n) => sum + n, 0);
  const hours_now = hoursOf(current);
  // Training data of whole days compare with whole days alone.
  const learnt = scope === "site" && hours_now.length === 24 ? learntOf(model, layout) : null;
  const kept = before.length > 0 ? pooled(before) : null;
  const hours = learnt || !kept ? hours_now : hours_now.filter((hour) => kept.rows[hour]! > 0);
  const against = learnt ? ("model" as const) : ("baseline" as const);
  if ((!learnt && !kept) || hours.length < settings.hours_min)
    return { ...nothing, against, hours: hours.length, rows };
  const findings = layout.bins.map((_, q) => {
    const a = observedOver(current, layout, q, hours);
    const b = learnt ? learnt[q]! : observedOver(kept!, layout, q, hours);
    const psi = stabilityIndex(a, b);
    const by_chance = indexByChance(a.n, b.n, a.shares.length, settings.false_alarm / tests);
    const level = levelOf(psi, by_chance, settings);
    return {
      quantity: model.features[q] ?? D_RATIO,
      psi,
      by_chance,
      level,
      mean_before: b.mean,
      mean_now: a.mean,
    };
  });
  findings.sort((a, b) => b.psi - a.psi);
  const drifting = findings.filter(({ level }) => level !== "none");
  const level = worst(drifting.map((finding) => finding.level));
  return {
    scope,
    name,
    level,
    against,
    hours: hours.length,
    rows,
    findings: scope === "site" ? findings : drifting,
  };
}

/** Rows per independent one in training data, which has them every 30 or 60 s of every rack. */
const TRAINING_ROWS_PER_SPAN = 15;

function learntOf({ reference, scaler, distributions, tau_fast }: ModelFile, { bins }: BinLayout) {
  if (!reference) return null;
  const n = reference.rows / TRAINING_ROWS_PER_SPAN;
  const means = [...scaler.mean, distributions.nominal.mean / tau_fast];
  return bins.map(({ shares }, q): Observed & { mean: number } => ({ shares, n, mean: means[q]! }));
}

function levelOf(psi: number, by_chance: number, { moderate_psi, major_psi }: DriftSettings): DriftLevel {
  if (psi < Math.max(moderate_psi, by_chance)) return "none";
  return psi >= major_psi ? "major" : "moderate";
}

function worst(levels: readonly DriftFinding["level"][]): DriftLevel {
  if (levels.includes("major")) return "major";
  return levels.includes("moderate") ? "moderate" : "none";
}
