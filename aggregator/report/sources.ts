import type { MeasuredSaving, ReportIncident } from "../../shared/contracts/report.ts";

/** Where the report gets incidents from; a site without one reports none, and says so. */
export interface IncidentSource {
  /** Incidents that were open at some time in [from_ms, to_ms), newest first. */
  between(from_ms: number, to_ms: number, limit: number): ReportIncident[];
}

/** Where the report gets the measured saving from. */
export interface SavingSource {
  /** Over [from_ms, to_ms); null where there is not enough to measure it by. */
  measured(from_ms: number, to_ms: number): MeasuredSaving | null;
}
