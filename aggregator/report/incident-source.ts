import type { ReportIncident } from "../../shared/contracts/report.ts";
import type { Incidents } from "../incidents/incidents.ts";
import type { IncidentSource } from "./sources.ts";

/** The site's incidents as the report shows them. */
export function incidentSource(incidents: Pick<Incidents, "recent">): IncidentSource {
  return {
    between: (from_ms, to_ms, limit) =>
      incidents
        .recent({ limit })
        .filter(({ opened_at, closed_at }) => {
          const ended_ms = closed_at === null ? Number.POSITIVE_INFINITY : Date.parse(closed_at);
          return Date.parse(opened_at) < to_ms && ended_ms >= from_ms;
        })
        .map(
          ({ id, opened_at, closed_at, status, scope, racks, verdict, title }): ReportIncident => ({
            id,
            opened_at,
            closed_at,
            state: status,
            scope,
            racks: racks.map(({ rack_id }) => rack_id),
            cause: verdict?.cause ?? null,
            confidence: verdict?.confidence ?? null,
            summary: title,
          }),
        ),
  };
}
