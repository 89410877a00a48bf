import type { Action } from "../../shared/contracts/action.ts";
import type { Incident, MaintenanceWindow } from "../../shared/contracts/incident.ts";

export interface Span {
  from_ms: number;
  to_ms: number;
}

/** What of each rack's time says nothing of its nominal operation. */
export interface Exclusions {
  excluded: Record<string, Span[]>;
  /** Times in which a rack may have been persistent and yet was well: false alarms, as people judged them. */
  forgiven: Record<string, Span[]>;
}

export interface ExclusionSources {
  racks: readonly { rack_id: string; row: string }[];
  incidents: readonly Incident[];
  maintenance: readonly MaintenanceWindow[];
  /** In order of time. */
  actions: readonly Action[];
  now_ms: number;
}

export interface ExclusionRules {
  /** An incident of the whole site that nobody confirmed counts as operation: a season looks like one. */
  site_incidents: boolean;
  /** So does every incident that nobody judged, as far as no sensor is in question. */
  unjudged_incidents?: boolean;
  /** Whose setpoints of fan and pump make a rack's time one of theirs. */
  commanded_by: readonly Action["source"][];
}

/** An alarm comes after what caused it, and a rack takes minutes to be itself again. */
export const LEAD_MS = 600_000;
export const SETTLE_MS = 900_000;

/** The times to leave out of what is learnt from or compared. */
export function exclusionsOf(sources: ExclusionSources, rules: ExclusionRules): Exclusions {
  const excluded: Record<string, Span[]> = {};
  const forgiven: Record<string, Span[]> = {};
  const put = (into: Record<string, Span[]>, rack_id: string, span: Span) => {
    into[rack_id] ??= [];
    into[rack_id].push(span);
  };
  for (const incident of sources.incidents) {
    // Its racks are in the wider incident, which people judge.
    if (incident.merged_into !== null) continue;
    for (const rack of incident.racks) {
      const into = countsAsOperation(incident, rack, rules) ? forgiven : excluded;
      put(into, rack.rack_id, incidentSpan(incident, rack, sources.now_ms));
    }
  }
  for (const { rack_id, row, from, to } of sources.maintenance) {
    const span = { from_ms: Date.parse(from), to_ms: Date.parse(to) + SETTLE_MS };
    for (const rack of sources.racks)
      if (rack_id === rack.rack_id || (rack_id === null && (row === null || row === rack.row)))
        put(excluded, rack.rack_id, span);
  }
  for (const { rack_id, span } of commandedSpans(sources, rules.commanded_by)) put(excluded, rack_id, span);
  return { excluded, forgiven };
}

function countsAsOperation(
  { judged, scope }: Incident,
  { sensors }: Incident["racks"][number],
  { site_incidents, unjudged_incidents = false }: ExclusionRules,
): boolean {
  if (judged !== null) return judged === "rejected";
  return (site_incidents && scope === "site") || (unjudged_incidents && sensors.length === 0);
}

function incidentSpan(incident: Incident, rack: Incident["racks"][number], now_ms: number): Span {
  const ended = rack.recovered_at ?? incident.closed_at;
  return {
    from_ms: Date.parse(rack.since) - LEAD_MS,
    to_ms: (ended === null ? now_ms : Date.parse(ended)) + SETTLE_MS,
  };
}

/** From every setpoint of fan or pump that was applied to the one that handed the device back. */
function* commandedSpans(
  { actions, now_ms }: ExclusionSources,
  by: readonly Action["source"][],
): Generator<{ rack_id: string; span: Span }> {
  const since = new Map<string, number>();
  for (const { rack_id, target, outcome, source, to, ts } of actions) {
    if (outcome !== "applied" || rack_id === null) continue;
    if (target !== "fan_rpm_pct" && target !== "pump_rpm_pct") continue;
    const device = `${rack_id}/${target}`;
    const from_ms = since.get(device);
    if (to !== null && by.includes(source)) since.set(device, from_ms ?? Date.parse(ts));
    if (to !== null || from_ms === undefined) continue;
    yield { rack_id, span: { from_ms, to_ms: Date.parse(ts) + SETTLE_MS } };
    since.delete(device);
  }
  for (const [device, from_ms] of since) {
    yield { rack_id: device.split("/")[0]!, span: { from_ms, to_ms: now_ms } };
  }
}

/** The spans of incidents that people confirmed, which a model must find. */
export function confirmedSpans(
  incidents: readonly Incident[],
  now_ms: number,
): { rack_id: string; span: Span }[] {
  return incidents
    .filter(({ judged, merged_into }) => judged === "confirmed" && merged_into === null)
    .flatMap((incident) =>
      incident.racks.map((rack) => ({
        rack_id: rack.rack_id,
        span: incidentSpan(incident, rack, now_ms),
      })),
    );
}

/** Which rows of a rack say something of its nominal operation. */
export function usableRows(
  series: { rack_id: string; ts_ms: Float64Array; persistent: Uint8Array },
  { excluded, forgiven }: Exclusions,
): Uint8Array {
  const out = within(series.ts_ms, excluded[series.rack_id] ?? []);
  const spared = within(series.ts_ms, forgiven[series.rack_id] ?? []);
  return out.map((inside, i) => (inside || (series.persistent[i] && !spared[i]) ? 0 : 1));
}

/** 1 for every instant that lies in one of the spans. */
export function within(ts_ms: Float64Array, spans: readonly Span[]): Uint8Array {
  const flags = new Uint8Array(ts_ms.length);
  for (const { from_ms, to_ms } of spans)
    for (let i = 0; i < ts_ms.length; i++) if (ts_ms[i]! >= from_ms && ts_ms[i]! <= to_ms) flags[i] = 1;
  return flags;
}
