import type { Colours } from "../../shared/colours.ts";
import type {
  DriftFinding,
  DriftLevel,
  DriftReport,
  DriftScope,
  RetrainingReport,
} from "../../shared/contracts/drift.ts";
import type { Column } from "../cli/table.ts";
import { figure, instant, plain } from "../cli/text.ts";

/** With a shape beside the colour, for those who see no colours. */
const MARKS = { none: "· none", moderate: "▲ moderate", major: "■ major", unknown: "? unknown" } as const;

function levelPaint(colours: Colours, level: DriftLevel) {
  return { none: colours.green, moderate: colours.yellow, major: colours.red, unknown: colours.dim }[level];
}

/** The check in sentences. */
export function checkLines(report: DriftReport, colours: Colours): string[] {
  const { level, model_id, from, to, checked_at, major_in_a_row, summary } = report;
  const times = major_in_a_row > 1 ? `, ${major_in_a_row} checks in a row` : "";
  return [
    `${levelPaint(colours, level)(MARKS[level])}  ${colours.bold(plain(model_id))}${times}`,
    colours.dim(`${instant(from)} to ${instant(to)}, checked ${instant(checked_at)}`),
    ...summary.map(plain),
  ];
}

/** The site, its rows, and those racks that drift; with `all`, the others as well. */
export function scopesShown({ site, rows, racks }: DriftReport, all: boolean): DriftScope[] {
  const shown = all ? racks : racks.filter(({ level }) => level === "moderate" || level === "major");
  return [site, ...rows, ...shown];
}

export function scopeColumns(colours: Colours): Column<DriftScope>[] {
  return [
    { head: "WHERE", text: ({ scope, name }) => (scope === "row" ? `row ${name}` : name) },
    {
      head: "DRIFT",
      text: ({ level }) => MARKS[level],
      paint: (text, { level }) => levelPaint(colours, level)(text),
    },
    { head: "AGAINST", text: ({ against }) => against, drop: 2 },
    { head: "HOURS", text: ({ hours }) => String(hours), align: "right", drop: 1 },
    { head: "WHAT (INDEX, MEAN THEN → NOW)", text: ({ findings }) => whatText(findings), min: 20 },
  ];
}

function whatText(findings: readonly DriftFinding[]): string {
  return findings
    .filter(({ level }) => level !== "none")
    .map(
      ({ quantity, psi, mean_before, mean_now }) =>
        `${quantity} ${figure(psi, 2)} (${figure(mean_before, 2)} → ${figure(mean_now, 2)})`,
    )
    .join(", ");
}

/**
 * What the last retraining came to, in sentences, and what can be done with its candidate.
 *
 * @param in_force id of the model that runs: nobody needs to promote it
 */
export function retrainingLines(
  report: RetrainingReport,
  in_force: string | null,
  { bold, dim }: Colours,
): string[] {
  const { at, trigger, summary, site, unjudged, promoted, rows } = report;
  const because = trigger === "drift" ? "because of drift" : "by schedule";
  const offers = [...(site.offered && !promoted ? [site] : []), ...(unjudged ? [unjudged] : [])];
  const next = offers.some(({ model_id }) => model_id === in_force)
    ? []
    : offers.map(({ model_id }) => `skadi-aggregator models promote ${plain(model_id)} --watch`);
  const pins = rows.map(
    ({ scope, model_id }) => `skadi-aggregator models pin ${plain(scope)} ${plain(model_id)}`,
  );
  return [
    `${bold("Last retraining")}  ${instant(at)}, ${because}`,
    ...summary.map(plain),
    ...[...next, ...pins].map((step) => `${dim("→")} ${step}`),
  ];
}
