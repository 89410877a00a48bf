import type { Cause, CauseVerdict, Incident, Severity, SubCause } from "../../shared/contracts/incident.ts";

const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

export const worse = (a: Severity, b: Severity): Severity =>
  SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;

export const atLeast = (severity: Severity, minimum: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(minimum);

/** Costs energy, endangers nothing. */
const HARMLESS: ReadonlySet<Cause> = new Set(["under_utilized", "overcooled"]);

/** Critical: an inlet over its limit, or cooling that fails a row or more. */
export function severityOf(
  incident: Pick<Incident, "scope" | "racks">,
  verdict: CauseVerdict | null,
  over_limit: ReadonlySet<string>,
): Severity {
  if (incident.racks.some((rack) => rack.recovered_at === null && over_limit.has(rack.rack_id)))
    return "critical";
  if (incident.scope !== "rack" && verdict?.cause === "thermal_event") return "critical";
  return verdict && HARMLESS.has(verdict.cause) ? "info" : "warning";
}

/** The mean of the racks' probabilities; what fails a whole row by heat is the row's cooling. */
export function combinedVerdict({ scope, racks }: Incident): CauseVerdict | null {
  const verdicts = racks.flatMap(({ verdict }) => (verdict ? [verdict] : []));
  if (verdicts.length === 0) return null;
  const sums = new Map<Cause, number>();
  for (const { causes } of verdicts) {
    for (const { cause, confidence } of causes) sums.set(cause, (sums.get(cause) ?? 0) + confidence);
  }
  const causes = [...sums]
    .map(([cause, sum]) => ({ cause, confidence: Math.min(1, sum / verdicts.length) }))
    .sort((a, b) => b.confidence - a.confidence);
  const { cause, confidence } = causes[0]!;
  const alike = verdicts
    .filter((verdict) => verdict.cause === cause)
    .sort((a, b) => b.confidence - a.confidence);
  const clearest = alike[0] ?? verdicts[0]!;
  const row_cooling = scope !== "rack" && cause === "thermal_event";
  const sub_cause = row_cooling ? "crah_failure" : clearest.cause === cause ? clearest.sub_cause : null;
  return { cause, sub_cause, confidence, causes, evidence: clearest.evidence };
}

const CAUSE_WORDS: Record<Cause, string> = {
  thermal_event: "too hot",
  high_load: "high load",
  under_utilized: "hardly used",
  overcooled: "overcooled",
  fan_fault: "fan fault",
  pump_fault: "pump fault",
  sensor_fault: "sensor fault",
};

const SUB_CAUSE_WORDS: Partial<Record<SubCause, string>> = {
  crah_failure: "cooling side (air handler)",
  tile_blockage: "cooling side (floor tile)",
};

/** One line for people: what, and where. */
export function titleOf({ scope, row, racks, verdict }: Incident): string {
  const names = racks.map(({ rack_id }) => rack_id);
  const shown = names.length > 3 ? `${names.slice(0, 3).join(", ")} …` : names.join(", ");
  const where = scope === "site" ? "Site" : scope === "row" ? `Row ${row} (${names.length} racks)` : shown;
  if (!verdict) return `${where}: lasting deviation`;
  const { cause, sub_cause } = verdict;
  const sensors = [...new Set(racks.flatMap((rack) => rack.sensors))];
  if (cause === "sensor_fault" && sensors.length > 0) return `${where}: sensor fault, ${sensors.join(", ")}`;
  const part = sub_cause ? (SUB_CAUSE_WORDS[sub_cause] ?? sub_cause) : null;
  return `${where}: ${CAUSE_WORDS[cause]}${part ? `, ${part}` : ""}`;
}
