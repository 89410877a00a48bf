import type { ReportIncident, ReportIncidents } from "../../shared/contracts/report.ts";

const LISTED = 50;

/** @param incidents those of the period, newest first */
export function incidentsSection(incidents: readonly ReportIncident[]): ReportIncidents {
  const by_cause: Record<string, number> = {};
  for (const { cause } of incidents) {
    const name = cause ?? "unknown";
    by_cause[name] = (by_cause[name] ?? 0) + 1;
  }
  return {
    total: incidents.length,
    open: incidents.filter((incident) => incident.closed_at === null).length,
    by_cause,
    list: incidents.slice(0, LISTED),
  };
}
