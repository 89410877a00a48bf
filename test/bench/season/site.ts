import { type ExclusionRules, exclusionsOf } from "../../../aggregator/drift/exclusions.ts";
import type { ReadSeries } from "../../../aggregator/drift/stored-series.ts";
import { incidentBook, type RackAlarm } from "../../../aggregator/incidents/book.ts";
import { type MmsFilter, nextFilter } from "../../../aggregator/mms/filter.ts";
import type { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { Incident } from "../../../shared/contracts/incident.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import { FEATURES } from "../../../shared/ims/features.ts";
import { rowBuffer } from "../../../shared/ims/rows.ts";
import { createScorer, type Scorer } from "../../../shared/ims/score.ts";
import { takeRows } from "../../../shared/ims/trim.ts";
import type { Plant } from "../../../sim/plant/plant.ts";
import { DAY_S, RACKS } from "../fault-schedule.ts";
import { WINDOW_S } from "../fault-windows.ts";
import type { Handle } from "./days.ts";

const F = FEATURES.length;

/** What an aggregator would know of a hall: telemetry, MMS under the model in force, and the incidents of that. */
export interface Site {
  /** A model comes into force. */
  follow(model: ModelFile): void;
  record: Handle;
  read: ReadSeries;
  /** What is left out of drift and training; `rejected` takes every incident for one that people rejected. */
  exclusions(
    rules: Omit<ExclusionRules, "commanded_by">,
    rejected?: boolean,
  ): ReturnType<typeof exclusionsOf>;
}

export function createSite(plant: Plant, config: Pick<AggregatorConfig, "mms" | "incidents">): Site {
  const racks = RACKS.map((rack_id) => ({
    rack_id,
    row: rowOf(rack_id),
    position: Number(rack_id.split("-").at(-1)),
    x: rowBuffer(F, DAY_S / WINDOW_S),
    ts_ms: [] as number[],
    persistent: [] as boolean[],
    filter: null as MmsFilter | null,
  }));
  let force: { model: ModelFile; scorer: Scorer } | null = null;
  let opened = 0;
  const book = incidentBook({
    settings: config.incidents,
    newId: () => `incident-${opened++}`,
    underMaintenance: () => false,
  });
  const incidents = new Map<string, Incident>();

  const look = () => {
    const alarms = racks
      .filter(({ filter }) => filter?.state === "persistent")
      .map(
        ({ rack_id, row, position }): RackAlarm => ({
          ...{ rack_id, row, position, persistent: true, sensors: [], verdict: null },
          ...{ over_limit: false, log_d: null },
        }),
      );
    for (const incident of book.look(plant.now_ms, alarms)) incidents.set(incident.id, incident);
  };
  const known = () => {
    for (const incident of book.active()) incidents.set(incident.id, incident);
    return [...incidents.values()];
  };
  return {
    follow(model) {
      force = { model, scorer: createScorer(model) };
      for (const rack of racks) rack.filter = null;
    },
    record(i, _end_s, x) {
      const rack = racks[i]!;
      if (!force) throw new RangeError("no model in force");
      const { tau_fast, tau_persist } = force.model;
      rack.filter = nextFilter(
        rack.filter,
        { d: force.scorer.score(x).d, tau_fast, tau_persist },
        config.mms,
      );
      rack.x.push(x);
      rack.ts_ms.push(plant.now_ms);
      rack.persistent.push(rack.filter.state === "persistent");
      if (i === racks.length - 1) look();
    },
    read(rack_id, from_ms, to_ms, stride) {
      const { x, ts_ms, persistent } = racks[RACKS.indexOf(rack_id)]!;
      const picked: number[] = [];
      const first = ts_ms.findIndex((at_ms) => at_ms >= from_ms);
      if (first >= 0) for (let i = first; i < ts_ms.length && ts_ms[i]! < to_ms; i += stride) picked.push(i);
      return {
        rack_id,
        ts_ms: Float64Array.from(picked, (i) => ts_ms[i]!),
        x: takeRows(x.matrix(), Uint32Array.from(picked), F),
        persistent: Uint8Array.from(picked, (i) => (persistent[i] ? 1 : 0)),
      };
    },
    exclusions(rules, rejected = false) {
      const judged = known().map((incident) =>
        rejected ? { ...incident, judged: "rejected" as const } : incident,
      );
      const sources = { racks, incidents: judged, maintenance: [], actions: [], now_ms: plant.now_ms };
      return exclusionsOf(sources, { ...rules, commanded_by: [] });
    },
  };
}
