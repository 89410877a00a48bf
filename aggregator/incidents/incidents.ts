import { randomUUID } from "node:crypto";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { Incident, IncidentNote } from "../../shared/contracts/incident.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { EventBus } from "../events.ts";
import { alarmAgeMs, type Fleet, type Rack } from "../fleet.ts";
import type { Mms } from "../mms/mms.ts";
import type { Store } from "../store/store.ts";
import { incidentBook, isActive, noted, type RackAlarm } from "./book.ts";
import type { Maintenance } from "./maintenance.ts";

export interface Incidents {
  start(): void;
  stop(): void;
  /** Open and acknowledged ones, oldest first. */
  active(): Incident[];
  /** Also those that are over, newest first. */
  recent(filter: Parameters<Store["incidents"]["recent"]>[0]): Incident[];
  /** The following throw SKADI_NOT_FOUND for an unknown id and SKADI_CONFLICT where the state does not allow it. */
  get(id: string): Incident;
  acknowledge(id: string, by: string, text: string): Incident;
  annotate(id: string, by: string, text: string): Incident;
  close(id: string, by: string, text: string): Incident;
  /** What people made of it; MMS learns from the scores. */
  judge(id: string, verdict: "confirmed" | "rejected", by: string, text: string): Incident;
}

interface IncidentsContext {
  clock: Clock;
  log: Log;
  config: Pick<AggregatorConfig, "incidents" | "limits">;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  mms: Mms;
  maintenance: Maintenance;
  /** Everything that changed goes here as well: to whoever is to be told. */
  onChange: (incident: Incident) => void;
}

/** As often as racks are scored. */
const LOOK_MS = 5_000;
/** What only moves in its figures is written down once a minute. */
const KEEP_EVERY = 12;
/** A rack that has been silent for longer shows nothing; its alarm neither stands nor ends. */
const STALE_MS = 120_000;

/** The site's incidents: alarms in, incidents out, kept in the store and put back after a restart. */
export function createIncidents(context: IncidentsContext): Incidents {
  const { clock, log, config, fleet, store, events, mms, maintenance } = context;
  const book = incidentBook({
    settings: config.incidents,
    newId: (now_ms) => `${isoTime(now_ms).slice(0, 19).replaceAll(/[-:]/g, "")}-${randomUUID().slice(0, 8)}`,
    underMaintenance: maintenance.covers,
  });
  // One that was closed by hand keeps its alarm, however long ago that was: or each start would open a new one for it.
  for (const incident of store.incidents.closedBeforeRecovery()) book.put(incident);
  const since_ms = clock.now() - config.incidents.reopen_s * 1000;
  for (const incident of store.incidents.activeOrClosedSince(since_ms)) book.put(incident);
  const seen_seq = new Map<string, number>();
  let looks = 0;
  let stop: (() => void) | null = null;

  const keep = (incident: Incident): Incident => {
    store.incidents.put(incident);
    const { id, scope, row, status, severity, title, verdict, racks, timeline } = incident;
    const note = timeline.at(-1);
    events.publish("incident", racks.length === 1 ? racks[0]!.rack_id : null, {
      ...{ id, scope, row, status, severity, title },
      racks: racks.map(({ rack_id }) => rack_id),
      cause: verdict && {
        cause: verdict.cause,
        sub_cause: verdict.sub_cause,
        confidence: verdict.confidence,
      },
      change: note?.kind,
      by: note?.by,
    });
    context.onChange(incident);
    return incident;
  };

  const alarmOf = (rack: Rack, i: number, now_ms: number): RackAlarm | null => {
    const causes = mms.causes();
    const persistent = rack.mms?.state === "persistent";
    const sensors = (rack.score?.sensors ?? []).map(({ field, problem }) => `${field}: ${problem}`);
    const stale = alarmAgeMs(rack, now_ms) > STALE_MS;
    // A rack that fell silent in the middle of an alarm is not well again.
    if (!persistent && (sensors.length === 0 || stale)) {
      causes?.follower.calm(rack.rack_id);
      return null;
    }
    const observed = causes && !stale ? causes.evidence.of(i) : null;
    const news = rack.score !== null && seen_seq.get(rack.rack_id) !== rack.score.seq;
    if (rack.score) seen_seq.set(rack.rack_id, rack.score.seq);
    return {
      rack_id: rack.rack_id,
      row: rack.row,
      position: rack.position,
      persistent,
      sensors,
      verdict: causes && observed && news ? causes.follower.next(rack.rack_id, observed) : null,
      over_limit: !stale && (rack.sample?.inlet_c ?? Number.NEGATIVE_INFINITY) >= config.limits.inlet_c,
      log_d: persistent && news && rack.score ? Math.log(Math.max(rack.score.d, 1e-6)) : null,
    };
  };

  const look = () => {
    const now_ms = clock.now();
    mms.causes()?.evidence.compare();
    const alarms = fleet.racks.flatMap((rack, i) => alarmOf(rack, i, now_ms) ?? []);
    for (const incident of book.look(now_ms, alarms)) keep(incident);
    if (++looks % KEEP_EVERY === 0) for (const incident of book.active()) store.incidents.put(incident);
  };

  const find = (id: string): Incident => {
    const incident = book.get(id) ?? store.incidents.get(id);
    if (!incident) throw skadiError("SKADI_NOT_FOUND", { field: "id", value: id });
    return incident;
  };
  const change = (
    incident: Incident,
    kind: IncidentNote["kind"],
    by: string,
    text: string,
    changes: Partial<Incident> = {},
  ): Incident => {
    const next = noted({ ...incident, ...changes }, { ts: isoTime(clock.now()), kind, by, text });
    if (book.get(next.id)) book.put(next);
    return keep(next);
  };
  const findActive = (id: string): Incident => {
    const incident = find(id);
    if (isActive(incident)) return incident;
    throw skadiError("SKADI_CONFLICT", {
      field: "status",
      value: incident.status,
      expected: "open or acknowledged",
    });
  };

  return {
    start() {
      stop ??= clock.every(LOOK_MS, () => {
        try {
          look();
        } catch (error) {
          log.error({ err: error }, "looking for incidents failed; will be tried again");
        }
      });
    },
    stop() {
      stop?.();
      stop = null;
      for (const incident of book.active()) store.incidents.put(incident);
    },
    active: book.active,
    // Figures of an open one move on between two writes.
    recent: (filter) => store.incidents.recent(filter).map((incident) => book.get(incident.id) ?? incident),
    get: find,
    acknowledge(id, by, text) {
      return change(findActive(id), "acknowledged", by, text, {
        status: "acknowledged",
        acknowledged_by: by,
      });
    },
    annotate: (id, by, text) => change(find(id), "annotated", by, text),
    close(id, by, text) {
      const closed = { status: "closed" as const, closed_at: isoTime(clock.now()), closed_by: by };
      return change(findActive(id), "closed", by, text, closed);
    },
    judge(id, verdict, by, text) {
      const incident = find(id);
      if (incident.judged !== null) {
        const expected = "an incident that was not judged yet";
        throw skadiError("SKADI_CONFLICT", { field: "judged", value: incident.judged, expected });
      }
      const scored = incident.racks.filter(({ scores }) => scores.count > 0);
      const count = scored.reduce((sum, { scores }) => sum + scores.count, 0);
      const sum = scored.reduce((total, { scores }) => total + scores.count * scores.log_d_mean, 0);
      // Sensors alone say nothing of D.
      if (count > 0) mms.judge(verdict, sum / count);
      return change(incident, verdict, by, text, { judged: verdict });
    },
  };
}
