import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import { RetrainingReport } from "../../shared/contracts/drift.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Lineage, RegisteredModel } from "../../shared/contracts/registry.ts";
import { SkadiError } from "../../shared/errors.ts";
import { type Helper, startHelper } from "../../shared/helper-thread.ts";
import type { Log } from "../../shared/log.ts";
import { type Clock, isoTime } from "../../shared/time.ts";
import { packageVersion } from "../../shared/version.ts";
import { confirmedSpans, exclusionsOf } from "../drift/exclusions.ts";
import { siteSources } from "../drift/site-sources.ts";
import type { EventBus } from "../events.ts";
import type { Fleet } from "../fleet.ts";
import type { Library } from "../models/library.ts";
import { removeModel } from "../models/registry/lineage.ts";
import type { Registry } from "../models/registry/registry.ts";
import type { Rollouts } from "../models/rollout/rollouts.ts";
import type { JobResult } from "../schedules/scheduler.ts";
import type { Store } from "../store/store.ts";
import type { JudgedModel, RetrainOutcome, UnjudgedModel } from "./retrain.ts";
import type { RetrainJob, RetrainReply } from "./retrain-worker.ts";

type Trigger = RetrainingReport["trigger"];

export interface Retraining {
  /** Trains challengers on what is stored, and registers what became of them. */
  run(trigger: Trigger): Promise<JobResult>;
  last(): RetrainingReport | null;
  /** Ends one that is under way. */
  stop(): Promise<void>;
}

export interface RetrainingContext {
  config: Pick<AggregatorConfig, "retraining" | "limits" | "mms">;
  database: string;
  fleet: Fleet;
  store: Store;
  events: EventBus;
  library: Library;
  registry: Registry;
  rollouts: Pick<Rollouts, "start">;
  /** The model in force. */
  model: () => ModelFile | null;
  clock: Clock;
  log: Log;
}

const LAST = "retraining_report";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The same data give the same candidate. */
const SEED = 42;

/** Retraining by schedule and for drift: every candidate is registered with what it was judged by. */
export function createRetraining(context: RetrainingContext): Retraining {
  const { config, store, events, registry, clock, log } = context;
  const settings = config.retraining;
  let helper: Helper<RetrainReply> | null = null;

  const finish = (outcome: RetrainOutcome, champion: ModelFile, trigger: Trigger): RetrainingReport => {
    const parent_id = champion.id;
    const registered = register(outcome.site, parent_id, trigger);
    const row_winners = outcome.rows.filter(({ verdict }) => verdict.offered);
    for (const row of row_winners) register(row, parent_id, trigger);
    const { unjudged } = outcome;
    if (unjudged) register(unjudged, parent_id, trigger);
    const promoted = settings.auto_promote && outcome.site.verdict.offered;
    if (promoted) promote(registered, outcome.site.verdict.reason);
    const report: RetrainingReport = {
      at: isoTime(clock.wall(clock.now())),
      trigger,
      held_back: { from: isoTime(outcome.held_back.from_ms), to: isoTime(outcome.held_back.to_ms) },
      excluded_share: outcome.excluded_share,
      site: outcome.site.verdict,
      unjudged: unjudged && { ...unjudged.verdict, racks: unjudged.racks, share: unjudged.share },
      rows: row_winners.map(({ verdict }) => verdict),
      promoted,
      summary: sentences(outcome, row_winners, promoted),
    };
    store.settings.put(LAST, report);
    store.flush();
    const { model_id, offered, reason } = report.site;
    const told = { trigger, model_id, offered, reason, promoted, row_models: row_winners.map(rowOffer) };
    events.publish("retraining", null, { ...told, summary: report.summary });
    log.info(told, "retraining");
    prune(context);
    return report;
  };
  const register = ({ model, verdict, data_sha256 }: JudgedModel, parent_id: string, trigger: Trigger) => {
    const by = trigger === "drift" ? "drift" : "schedule";
    const lineage: Lineage = {
      source: "retrained",
      data: "stored telemetry",
      data_sha256,
      from: verdict.trained_from,
      to: verdict.trained_to,
      rows: verdict.rows,
      code_version: packageVersion(),
      parameters: {
        ...{ clusters: settings.clusters, seed: SEED, limits: config.limits, scope: verdict.scope, trigger },
        challenge: { ...verdict },
      },
      report: null,
      parent_id,
    };
    // In one with the entry: dying before a second step would leave a loser on offer.
    const retired = verdict.offered ? undefined : { reason: `not offered: ${verdict.reason}` };
    return registry.register(model, lineage, by, retired);
  };
  const promote = (model: RegisteredModel, reason: string) => {
    context.rollouts.start(model, { gated: true, by: "retraining", reason: `auto_promote: ${reason}` });
  };

  return {
    async run(trigger) {
      if (helper) return { outcome: "skipped", detail: "a retraining is under way" };
      const champion = context.model();
      // A site's first model is for people to choose.
      if (!champion) return { outcome: "skipped", detail: "no model in force to compete with" };
      store.flush();
      helper = startHelper<RetrainReply>(
        new URL("./retrain-worker.ts", import.meta.url),
        jobOf(context, champion),
      );
      try {
        const reply = await helper.result();
        // Too little data yet: nothing is wrong with the schedule.
        if (!reply.ok) return { outcome: "skipped", detail: new SkadiError(reply.rejections).message };
        const { summary } = finish(reply.outcome, champion, trigger);
        return { outcome: "ok", detail: summary.join(" ") };
      } finally {
        helper = null;
      }
    },
    last() {
      const kept = RetrainingReport.safeParse(store.settings.get(LAST));
      return kept.success ? kept.data : null;
    },
    async stop() {
      await helper?.stop();
    },
  };
}

function jobOf(context: RetrainingContext, champion: ModelFile): RetrainJob {
  const { config, fleet, clock, database } = context;
  const { days, recent_days, holdback_h, rows_max, clusters, per_row, site_incidents } = config.retraining;
  const { rack_days_min, detection_loss_max } = config.retraining;
  const to_ms = clock.now();
  const range = { from_ms: to_ms - days * DAY_MS, to_ms };
  const sources = siteSources(context, range);
  // What the optimizer commands is how the site runs; what the guardrail or a person commands has a reason.
  const rules = { site_incidents, commanded_by: ["guardrail", "operator"] as const };
  return {
    database,
    request: {
      racks: fleet.racks.map(({ rack_id, row }) => ({ rack_id, row })),
      champion,
      exclusions: exclusionsOf(sources, rules),
      lenient: exclusionsOf(sources, { ...rules, unjudged_incidents: true }),
      confirmed: confirmedSpans(sources.incidents, to_ms),
      ...{ range, rows_max, clusters, per_row, seed: SEED, limits: config.limits },
      holdback_ms: holdback_h * HOUR_MS,
      recent_ms: recent_days * DAY_MS,
      mms: { ema_alpha: config.mms.ema_alpha, ticks: config.mms.ticks },
      rules: { rack_days_min, detection_loss_max },
      created_ms: clock.wall(to_ms),
    },
  };
}

function sentences(
  { site: { verdict: site }, unjudged }: RetrainOutcome,
  rows: readonly JudgedModel[],
  promoted: boolean,
): string[] {
  const fate = site.offered ? (promoted ? "is being rolled out" : "is offered") : "is not offered";
  const head = `Candidate ${site.model_id} from ${site.rows} rows ${fate}: ${site.reason}.`;
  const all = [head];
  if (unjudged) all.push(unjudgedSentence(unjudged));
  if (rows.length > 0) {
    const offers = rows.map(({ verdict }) => `${verdict.model_id} for row ${verdict.scope}`);
    all.push(`Models of their own beat it on ${rows.length} rows and can be pinned: ${offers.join(", ")}.`);
  }
  return all;
}

function unjudgedSentence({ verdict, racks, share }: UnjudgedModel): string {
  return (
    `Candidate ${verdict.model_id} also learnt ${(100 * share).toFixed(0)} % of the time that incidents on ${racks} ` +
    `racks, which nobody judged, had left out: ${verdict.reason}. Promote it instead only if those were false alarms.`
  );
}

const rowOffer = ({ verdict }: JudgedModel) => ({ row: verdict.scope, model_id: verdict.model_id });

/** Deletes the files of older retrained models that nothing uses; the registry keeps what is known of them. */
function prune({ registry, library, config }: RetrainingContext): void {
  const used = new Set([
    registry.previous()?.sha256,
    ...registry.pins().map(({ sha256 }) => sha256),
    ...registry
      .list()
      .flatMap(({ stage, sha256 }) => (stage === "active" || stage === "canary" ? sha256 : [])),
  ]);
  const retrained = registry.list().filter(({ lineage }) => lineage.source === "retrained");
  const gone = new Set(
    retrained
      .filter(({ sha256 }) => !used.has(sha256))
      .slice(config.retraining.keep)
      .map(({ sha256 }) => sha256),
  );
  for (const { path, parsed } of library.list())
    if (parsed.ok && gone.has(parsed.value.sha256)) removeModel(path);
}
