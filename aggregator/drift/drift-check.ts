import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import { DriftReport } from "../../shared/contracts/drift.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { type Helper, startHelper } from "../../shared/helper-thread.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import type { EventBus } from "../events.ts";
import type { Fleet } from "../fleet.ts";
import type { Registry } from "../models/registry/registry.ts";
import type { Store } from "../store/store.ts";
import { coversDay, keepBaseline, readBaseline } from "./baseline.ts";
import { compareDrift } from "./compare.ts";
import type { DriftCount, DriftCounts } from "./drift-worker.ts";
import { type Exclusions, exclusionsOf, type Span } from "./exclusions.ts";
import { layoutOf } from "./occupancy.ts";
import { siteSources } from "./site-sources.ts";
import { driftSentences } from "./wording.ts";

export interface DriftCheck {
  /** Compares the last hours with what the active model learnt; null without a model. */
  check(): Promise<DriftReport | null>;
  /** The last check of the model in force; null before the first. */
  last(): DriftReport | null;
  stop(): Promise<void>;
}

export interface DriftContext {
  config: Pick<AggregatorConfig, "drift" | "limits">;
  database: string;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  registry: Registry;
  /** The model in force. */
  model: () => ModelFile | null;
  clock: Clock;
  log: Log;
}

const LAST = "drift_report";
const HOUR_MS = 3_600_000;
const COMMANDED_BY = ["guardrail", "optimizer", "operator"] as const;

/** Watches whether operation is still what the model in force learnt. */
export function createDriftCheck(context: DriftContext): DriftCheck {
  const { config, fleet, store, events, clock, log } = context;
  const settings = config.drift;
  let helper: Helper<DriftCounts> | null = null;

  const last = () => {
    const kept = DriftReport.safeParse(store.settings.get(LAST));
    return kept.success && kept.data.sha256 === context.model()?.sha256 ? kept.data : null;
  };
  const keep = (report: DriftReport, before: DriftReport | null) => {
    store.settings.put(LAST, report);
    const { model_id, level, summary } = report;
    if (level === (before?.level ?? "unknown")) return;
    const told = { model_id, level, before: before?.level ?? null, summary };
    events.publish("drift", null, told);
    log[level === "major" ? "warn" : "info"](told, "drift");
  };
  return {
    last,
    async check() {
      const model = context.model();
      if (!model || helper) return null;
      const before = last();
      const to_ms = clock.now();
      const window = { from_ms: to_ms - settings.window_h * HOUR_MS, to_ms };
      const kept = readBaseline(store.settings, model.sha256);
      const learnt = kept ? null : learntFrom(context, model.sha256, window.from_ms);
      const from_ms = Math.min(window.from_ms, learnt?.from_ms ?? window.from_ms);
      const exclusions = exclusionsOf(siteSources(context, { from_ms, to_ms }), {
        site_incidents: true,
        commanded_by: COMMANDED_BY,
      });
      const counts = await count({
        model,
        exclusions,
        window,
        baseline: { span: learnt, bins: kept?.bins ?? null },
      });
      const report = judge({ model, window, counts, baseline: kept?.racks ?? counts.baseline, before });
      if (!kept) takeBaseline(model.sha256, counts);
      keep(report, before);
      return report;
    },
    async stop() {
      await helper?.stop();
    },
  };

  async function count(
    question: Pick<DriftCount, "model" | "window" | "baseline"> & { exclusions: Exclusions },
  ): Promise<DriftCounts> {
    // The thread reads what is on the disk.
    store.flush();
    const data: DriftCount = {
      ...question,
      database: context.database,
      racks: fleet.racks.map(({ rack_id }) => rack_id),
      limits: config.limits,
    };
    helper = startHelper<DriftCounts>(new URL("./drift-worker.ts", import.meta.url), data);
    try {
      return await helper.result();
    } finally {
      helper = null;
    }
  }

  function judge(about: {
    model: ModelFile;
    window: Span;
    counts: DriftCounts;
    baseline: DriftCounts["baseline"];
    before: DriftReport | null;
  }): DriftReport {
    const { model, window, counts, baseline, before } = about;
    const by_row = Map.groupBy(fleet.racks, ({ row }) => row);
    const rows = Object.fromEntries(
      [...by_row].map(([row, racks]) => [row, racks.map(({ rack_id }) => rack_id)]),
    );
    const compared = compareDrift({
      ...{ model, rows, settings },
      layout: layoutOf(counts.bins),
      baseline: baseline ?? {},
      window: counts.window.racks,
    });
    const { rows: all, excluded_rows, outside_rows } = counts.window;
    const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
    const shares = {
      excluded_share: share(excluded_rows, all),
      outside_share: share(outside_rows, all - excluded_rows),
    };
    const { level } = compared.site;
    return {
      checked_at: isoTime(clock.wall(clock.now())),
      from: isoTime(window.from_ms),
      to: isoTime(window.to_ms),
      model_id: model.id,
      sha256: model.sha256,
      level,
      major_in_a_row: level === "major" ? (before?.major_in_a_row ?? 0) + 1 : 0,
      summary: driftSentences({ ...compared, ...shares }, settings.hours_min),
      ...shares,
      ...compared,
    };
  }

  /** What the model was learnt from, if it is stored; else the first operation under it that covers a day. */
  function takeBaseline(sha256: string, { baseline, window, bins }: DriftCounts): void {
    const racks = [baseline, window.racks].find((some) => some && coversDay(some, settings.hours_min));
    if (racks) keepBaseline(store.settings, { sha256, bins, racks });
  }
}

/** When the model's training data were recorded, as far as that may still be stored and is not the window itself. */
function learntFrom({ registry }: DriftContext, sha256: string, before_ms: number): Span | null {
  const { from, to } = registry.find(sha256)?.lineage ?? { from: null, to: null };
  if (from === null || to === null || Date.parse(from) >= before_ms) return null;
  return { from_ms: Date.parse(from), to_ms: Date.parse(to) };
}
