import type { DriftFinding, DriftReport, DriftScope } from "../../shared/contracts/drift.ts";
import { D_RATIO } from "./compare.ts";

/** How many racks, and how many quantities, a sentence names. */
const NAMED_MAX = 6;
const QUANTITIES_MAX = 4;

/** A check in sentences: the site, then rows and racks. */
export function driftSentences(
  report: Pick<DriftReport, "site" | "rows" | "racks" | "excluded_share" | "outside_share">,
  hours_min: number,
): string[] {
  const { site, rows, racks, excluded_share, outside_share } = report;
  const sentences = [siteSentence(site, racks.length, hours_min)];
  for (const [scopes, noun] of [
    [rows, "rows"],
    [racks, "racks"],
  ] as const) {
    const drifting = scopes.filter(({ level }) => level === "moderate" || level === "major");
    if (drifting.length === 0) continue;
    const verb = drifting.length === 1 ? "drifts from its own" : "drift from their own";
    const named = strongestFirst(drifting).slice(0, NAMED_MAX).map(inShort);
    const more = drifting.length - named.length;
    const rest = more > 0 ? `, and ${more} more` : "";
    sentences.push(
      `${drifting.length} of ${scopes.length} ${noun} ${verb} baseline: ${named.join("; ")}${rest}.`,
    );
  }
  if (excluded_share >= 0.01)
    sentences.push(
      `${percent(excluded_share)} of the time was left out: incidents, maintenance or commanded cooling.`,
    );
  if (outside_share >= 0.01)
    sentences.push(`${percent(outside_share)} of the rest lies outside of the nominal limits.`);
  return sentences;
}

function siteSentence(site: DriftScope, racks: number, hours_min: number): string {
  const { level, hours, against, findings } = site;
  const what = against === "model" ? "what the model was trained on" : "the baseline of this model";
  if (level === "unknown")
    return `Too little to compare: ${hours} of the day's hours are there on both sides, and ${hours_min} are needed.`;
  const largest = findings[0];
  if (level === "none") {
    const nearest = largest ? `; the largest index is ${index(largest)} (${largest.quantity})` : "";
    return `The site runs as it did in ${what}: ${racks} racks, ${hours} hours of the day${nearest}.`;
  }
  const drifting = findings.filter((finding) => finding.level !== "none");
  const named = drifting.slice(0, QUANTITIES_MAX).map(inWords);
  const more = drifting.length - named.length;
  const rest = more > 0 ? `, and ${more} more` : "";
  return `The site's operation shows ${level} drift from ${what}: ${named.join("; ")}${rest}.`;
}

function inShort({ name, findings }: DriftScope): string {
  return `${name} (${findings
    .slice(0, 2)
    .map(({ quantity, psi }) => `${quantity} ${psi.toFixed(2)}`)
    .join(", ")})`;
}

function inWords(finding: DriftFinding): string {
  const { quantity, mean_before, mean_now } = finding;
  const name = quantity === D_RATIO ? "D / tau_fast" : quantity;
  return `${name} is ${figure(mean_now)}, was ${figure(mean_before)} (PSI ${index(finding)})`;
}

const index = ({ psi }: DriftFinding) => psi.toFixed(2);
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const figure = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function strongestFirst(scopes: readonly DriftScope[]): DriftScope[] {
  return [...scopes].sort((a, b) => (b.findings[0]?.psi ?? 0) - (a.findings[0]?.psi ?? 0));
}
