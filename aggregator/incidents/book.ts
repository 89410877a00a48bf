import type { CauseVerdict, Incident, IncidentNote, IncidentRack } from "../../shared/contracts/incident.ts";
import { isoTime } from "../../shared/time.ts";
import { combinedVerdict, severityOf, titleOf, worse } from "./wording.ts";

/** A rack whose alarm stands: MMS is persistent, or a sensor's trouble lasts. */
export interface RackAlarm {
  rack_id: string;
  row: string;
  position: number;
  /** The score test says so; otherwise it is sensors alone. */
  persistent: boolean;
  /** Such as `inlet_c: drift`. */
  sensors: readonly string[];
  verdict: CauseVerdict | null;
  over_limit: boolean;
  /** ln D of a score that came since the last look, while persistent. */
  log_d: number | null;
}

export interface BookSettings {
  /** Alarms of one row this close together may be one incident. */
  correlation_s: number;
  /** From this many racks on it is the row; from this many rows on the site. */
  row_racks: number;
  site_rows: number;
  /** All alarms must have been gone for this long. */
  close_after_s: number;
  /** An alarm that comes back within this time after the end reopens the incident. */
  reopen_s: number;
}

export interface BookContext {
  settings: BookSettings;
  newId: (now_ms: number) => string;
  /** Whether work goes on there. */
  underMaintenance: (place: { rack_id: string; row: string }, now_ms: number) => boolean;
}

/** The site's incidents that are open, or ended so lately that an alarm would reopen them. */
export interface IncidentBook {
  /** Takes in every alarm that stands at this moment; returns the incidents that changed. */
  look(now_ms: number, alarms: readonly RackAlarm[]): Incident[];
  get(id: string): Incident | undefined;
  /** Open and acknowledged ones, oldest first. */
  active(): Incident[];
  /** Puts back what a store kept, or what was changed from outside. */
  put(incident: Incident): void;
}

const SKADI = "skadi";
const NOTES_MAX = 200;

export const isActive = (incident: Incident): boolean => incident.status !== "closed";

/** A copy of the incident with one more line in its timeline; of very many the oldest but the first give way. */
export function noted(incident: Incident, note: IncidentNote): Incident {
  const [first, ...rest] = [...incident.timeline, note];
  const timeline = rest.length < NOTES_MAX ? [first!, ...rest] : [first!, ...rest.slice(1 - NOTES_MAX)];
  return { ...incident, timeline, updated_at: note.ts };
}

/** Correlates alarms of racks into incidents. Holds no clock and no store: the same alarms always give the same book. */
export function incidentBook(context: BookContext): IncidentBook {
  const { settings } = context;
  const incidents = new Map<string, Incident>();
  const positions = new Map<string, number>();
  let changed = new Set<string>();
  let over_limit: ReadonlySet<string> = new Set();

  const save = (incident: Incident) => {
    incidents.set(incident.id, incident);
    changed.add(incident.id);
  };
  const say = (incident: Incident, now_ms: number, kind: IncidentNote["kind"], text: string) =>
    save(noted(incident, { ts: isoTime(now_ms), kind, by: SKADI, text }));
  const held = () => [...incidents.values()].filter(({ merged_into }) => merged_into === null);
  const ageS = (instant: string, now_ms: number) => (now_ms - Date.parse(instant)) / 1000;
  const lastJoin = ({ racks }: Incident) => racks.reduce((last, r) => (r.since > last ? r.since : last), "");

  /** The incident that this rack's alarm belongs to already. */
  const ownerOf = (alarm: RackAlarm, now_ms: number): Incident | undefined => {
    const having = held().filter((incident) => partOf(incident, alarm.rack_id) !== undefined);
    // One that was closed by hand keeps its alarm until that has ended, unless another has taken it since.
    const mine = [
      ...having.filter(isActive),
      ...having.filter((one) => !isActive(one) && partOf(one, alarm.rack_id)?.recovered_at === null),
    ];
    const same = mine.find((incident) => isSensorIncident(incident) === isSensorAlarm(alarm));
    // At first it may not be clear whether it is the sensor or the rack.
    return same ?? mine.find((incident) => ageS(incident.opened_at, now_ms) <= settings.correlation_s);
  };

  const reopenable = (alarm: RackAlarm, now_ms: number): Incident | undefined =>
    held().findLast(
      (incident) =>
        !isActive(incident) &&
        partOf(incident, alarm.rack_id) !== undefined &&
        isSensorIncident(incident) === isSensorAlarm(alarm) &&
        ageS(incident.closed_at!, now_ms) <= settings.reopen_s,
    );

  const joinable = (alarm: RackAlarm, now_ms: number): Incident | undefined => {
    if (isSensorAlarm(alarm)) return undefined;
    return held().find((incident) => {
      if (!isActive(incident) || isSensorIncident(incident)) return false;
      if (ageS(lastJoin(incident), now_ms) > settings.correlation_s) return false;
      if (incident.scope === "site") return true;
      if (incident.row !== alarm.row) return false;
      if (incident.scope === "row") return true;
      return isCooling(incident.verdict) === isCooling(alarm.verdict) && isCooling(alarm.verdict)
        ? true
        : incident.racks.some(
            ({ rack_id }) => Math.abs((positions.get(rack_id) ?? Number.NaN) - alarm.position) === 1,
          );
    });
  };

  const open = (alarm: RackAlarm, now_ms: number) => {
    const ts = isoTime(now_ms);
    const incident: Incident = {
      v: 1,
      id: context.newId(now_ms),
      scope: "rack",
      row: alarm.row,
      status: "open",
      severity: "info",
      title: "",
      opened_at: ts,
      updated_at: ts,
      closed_at: null,
      closed_by: null,
      acknowledged_by: null,
      maintenance: context.underMaintenance(alarm, now_ms),
      judged: null,
      reopened: 0,
      merged_into: null,
      verdict: null,
      racks: [newPart(alarm, ts)],
      timeline: [],
    };
    say(incident, now_ms, "opened", alarm.persistent ? "lasting deviation" : alarm.sensors.join(", "));
  };

  const takeIn = (alarm: RackAlarm, now_ms: number) => {
    const ts = isoTime(now_ms);
    const owner = ownerOf(alarm, now_ms);
    if (owner) {
      const racks = owner.racks.map((r) => (r.rack_id === alarm.rack_id ? refreshed(r, alarm) : r));
      incidents.set(owner.id, { ...owner, racks });
      return;
    }
    const before = reopenable(alarm, now_ms);
    if (before) {
      const racks = before.racks.map((r) => (r.rack_id === alarm.rack_id ? refreshed(r, alarm) : r));
      const again = {
        status: "open" as const,
        closed_at: null,
        closed_by: null,
        reopened: before.reopened + 1,
      };
      say({ ...before, racks, ...again }, now_ms, "reopened", `${alarm.rack_id} again`);
      return;
    }
    const other = joinable(alarm, now_ms);
    if (!other) return open(alarm, now_ms);
    const maintenance = other.maintenance && context.underMaintenance(alarm, now_ms);
    const joined = { ...other, maintenance, racks: [...other.racks, newPart(alarm, ts)] };
    say(joined, now_ms, "rack_joined", alarm.rack_id);
  };

  /** Several incidents that turn out to be one: the oldest takes the others' racks. */
  const merge = (parts: Incident[], scope: "row" | "site", now_ms: number) => {
    const [oldest, ...others] = parts as [Incident, ...Incident[]];
    const racks = [...oldest.racks];
    for (const other of others) {
      for (const rack of other.racks) if (!partOf({ racks }, rack.rack_id)) racks.push(rack);
      const closed = { status: "closed" as const, closed_at: isoTime(now_ms), closed_by: SKADI };
      say({ ...other, ...closed, merged_into: oldest.id }, now_ms, "merged", `part of ${oldest.id}`);
    }
    const maintenance = parts.every((part) => part.maintenance);
    const row = scope === "row" ? oldest.row : null;
    const text =
      scope === "row" ? `row ${row}: ${racks.length} racks` : `${new Set(racks.map(rowOf)).size} rows`;
    say({ ...oldest, scope, row, racks, maintenance }, now_ms, "widened", text);
  };

  const widen = (now_ms: number) => {
    const recent = held().filter(
      (i) => isActive(i) && !isSensorIncident(i) && ageS(lastJoin(i), now_ms) <= settings.correlation_s,
    );
    for (const [row, parts] of Map.groupBy(recent, ({ row }) => row)) {
      if (row === null) continue;
      const racks = parts.flatMap((part) => part.racks.filter((rack) => rack.recovered_at === null));
      const narrow = parts.length > 1 || parts[0]!.scope === "rack";
      if (racks.length >= settings.row_racks && narrow) merge(parts, "row", now_ms);
    }
    const wide = held().filter(
      (i) => isActive(i) && i.scope !== "rack" && ageS(lastJoin(i), now_ms) <= settings.correlation_s,
    );
    const rows = wide.filter(({ scope }) => scope === "row");
    const known = wide.some(({ scope }) => scope === "site");
    if (rows.length > 0 && (known || rows.length >= settings.site_rows)) merge(wide, "site", now_ms);
  };

  /** Recovery, verdict, severity, title and the end, of every incident that is held. */
  const review = (incident: Incident, standing: ReadonlySet<string>, now_ms: number) => {
    let next = incident;
    const ts = isoTime(now_ms);
    for (const rack of incident.racks) {
      if (rack.recovered_at !== null || standing.has(rack.rack_id)) continue;
      const racks = next.racks.map((r) => (r.rack_id === rack.rack_id ? { ...r, recovered_at: ts } : r));
      next = noted({ ...next, racks }, { ts, kind: "rack_recovered", by: SKADI, text: rack.rack_id });
    }
    if (!isActive(next)) return next === incident ? undefined : save(next);
    const worked_on = (rack: IncidentRack) =>
      rack.recovered_at !== null ||
      context.underMaintenance({ rack_id: rack.rack_id, row: rowOf(rack) }, now_ms);
    if (next.maintenance && !next.racks.every(worked_on)) {
      const about = { ts, kind: "maintenance_over", by: SKADI, text: "still not well" } as const;
      next = noted({ ...next, maintenance: false }, about);
    }
    const verdict = combinedVerdict(next) ?? next.verdict;
    const before = next.verdict;
    const severity = worse(next.severity, severityOf(next, verdict, over_limit));
    const severity_before = next.severity;
    next = { ...next, verdict, severity };
    next = { ...next, title: titleOf(next) };
    if (verdict && (verdict.cause !== before?.cause || verdict.sub_cause !== before.sub_cause)) {
      const text = `${titleOf(next)}, confidence ${verdict.confidence.toFixed(2)}`;
      next = noted(next, { ts, kind: "cause", by: SKADI, text });
    }
    if (severity !== severity_before) {
      next = noted(next, { ts, kind: "severity", by: SKADI, text: `${severity_before} to ${severity}` });
    }
    const ended = next.racks.map((rack) => rack.recovered_at);
    const calm = ended.every((at) => at !== null && ageS(at, now_ms) >= settings.close_after_s);
    if (calm) {
      const closed = { ...next, status: "closed" as const, closed_at: ts, closed_by: SKADI };
      next = noted(closed, { ts, kind: "closed", by: SKADI, text: "every rack has recovered" });
    }
    // The verdict's figures move all the time; that alone is no news.
    if (next.timeline.length !== incident.timeline.length || next.updated_at !== incident.updated_at)
      save(next);
    else incidents.set(next.id, next);
  };

  const forget = (now_ms: number) => {
    for (const [id, incident] of incidents) {
      if (isActive(incident)) continue;
      const over =
        incident.racks.every((rack) => rack.recovered_at !== null) || incident.merged_into !== null;
      if (over && ageS(incident.closed_at!, now_ms) > settings.reopen_s) incidents.delete(id);
    }
  };

  return {
    look(now_ms, alarms) {
      changed = new Set();
      over_limit = new Set(alarms.filter((alarm) => alarm.over_limit).map(({ rack_id }) => rack_id));
      for (const { rack_id, position } of alarms) positions.set(rack_id, position);
      for (const alarm of alarms) takeIn(alarm, now_ms);
      widen(now_ms);
      const standing = new Set(alarms.map(({ rack_id }) => rack_id));
      for (const incident of held()) review(incident, standing, now_ms);
      const result = [...changed].map((id) => incidents.get(id)!);
      forget(now_ms);
      return result;
    },
    get: (id) => incidents.get(id),
    active: () => held().filter(isActive),
    put: (incident) => {
      incidents.set(incident.id, incident);
    },
  };
}

const isCooling = (verdict: CauseVerdict | null): boolean =>
  verdict === null || verdict.cause === "thermal_event";

const isSensorAlarm = (alarm: RackAlarm): boolean =>
  !alarm.persistent || (alarm.verdict?.cause === "sensor_fault" && alarm.sensors.length > 0);

const isSensorIncident = (incident: Incident): boolean =>
  incident.scope === "rack" &&
  incident.racks.every((rack) => rack.sensors.length > 0) &&
  (incident.verdict === null || incident.verdict.cause === "sensor_fault");

const partOf = ({ racks }: Pick<Incident, "racks">, rack_id: string): IncidentRack | undefined =>
  racks.find((rack) => rack.rack_id === rack_id);

const rowOf = ({ rack_id }: IncidentRack): string => rack_id.split("-")[1] ?? "";

function newPart(alarm: RackAlarm, since: string): IncidentRack {
  const empty = { count: 0, log_d_mean: 0 };
  const part = {
    rack_id: alarm.rack_id,
    since,
    recovered_at: null,
    sensors: [],
    verdict: null,
    scores: empty,
  };
  return refreshed(part, alarm);
}

function refreshed(rack: IncidentRack, { sensors, verdict, log_d }: RackAlarm): IncidentRack {
  const named = [...new Set([...rack.sensors, ...sensors])];
  return {
    ...rack,
    recovered_at: null,
    sensors: named,
    verdict: verdict ?? rack.verdict,
    scores: log_d === null ? rack.scores : counted(rack.scores, log_d),
  };
}

function counted({ count, log_d_mean }: IncidentRack["scores"], log_d: number): IncidentRack["scores"] {
  return { count: count + 1, log_d_mean: log_d_mean + (log_d - log_d_mean) / (count + 1) };
}
