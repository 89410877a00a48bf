import type { AggregatorConfig } from "../shared/contracts/config.ts";
import { skadiError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import { loadOrCreateKey } from "../shared/signing.ts";
import type { Clock } from "../shared/time.ts";
import { actionLog } from "./actions/action-log.ts";
import { isCommanded } from "./actions/setpoints.ts";
import { createApiServer } from "./api/server.ts";
import { openJournal } from "./audit/journal.ts";
import { createBroker } from "./broker/broker.ts";
import { createCommander } from "./commands/commander.ts";
import { messageCounter } from "./commands/counter.ts";
import { modeControl } from "./control/mode.ts";
import { openQuarantine } from "./control/quarantine.ts";
import { type Counters, newCounters } from "./counters.ts";
import { createDriftCheck } from "./drift/drift-check.ts";
import { eventBus } from "./events.ts";
import { createFleet, type Rack } from "./fleet.ts";
import { createIncidents } from "./incidents/incidents.ts";
import { maintenanceCalendar } from "./incidents/maintenance.ts";
import { brokerRefusals, createIngest } from "./ingest/ingest.ts";
import { createRejections } from "./ingest/rejections.ts";
import { watchMessages } from "./ingest/watched-messages.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createMms } from "./mms/mms.ts";
import { openSiteKeys, type SiteKeys } from "./models/distribution/keys.ts";
import { modelLibrary } from "./models/library.ts";
import { createRegistry } from "./models/registry/registry.ts";
import { createRollouts, keyOverlapMs } from "./models/rollout/rollouts.ts";
import { createTrainer } from "./models/train-job.ts";
import { createNotifier, notifyTransports } from "./notify/notifier.ts";
import { createSolver } from "./optimizer/lp.ts";
import { createOptimizer } from "./optimizer/optimizer.ts";
import { createOutputs } from "./outputs/outputs.ts";
import { siteOverview } from "./overview.ts";
import { reachableHost } from "./reachable-host.ts";
import { incidentSource } from "./report/incident-source.ts";
import type { ReportContext } from "./report/judges.ts";
import { savingSource } from "./report/saving-source.ts";
import { createRetraining } from "./retraining/retraining.ts";
import { energyLedger } from "./savings/ledger.ts";
import { simulatorLink } from "./scenarios/simulator.ts";
import { siteSchedules } from "./schedules/schedules.ts";
import { databaseFile, loadOrCreateToken, modelFolder, siteKeyFile } from "./secrets.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import { openTraces } from "./traces/traces.ts";

export interface AggregatorOptions {
  config: AggregatorConfig;
  clock: Clock;
  log: Log;
}

export interface Aggregator {
  start(): Promise<void>;
  /** Undoes `start` in reverse: lets nobody in, handles what has arrived, writes everything down. */
  stop(): Promise<void>;
  /** Real addresses, once started. */
  readonly http_url: string;
  readonly mqtt_url: string;
  readonly api_token: string;
  readonly public_key_file: string;
  /** Of the current run, or of the last one after `stop`. */
  counters(): Counters;
}

/** What a broker kept for us while we were away arrives within this time after a reconnection. */
const RECONNECT_SETTLE_MS = 2_000;

interface Running {
  http_url: string;
  mqtt_url: string;
  stop(): Promise<void>;
}

/** The aggregator of one site. Makes the site's token and key if there are none; everything else waits for `start`. */
export async function createAggregator(options: AggregatorOptions): Promise<Aggregator> {
  const { data_dir } = options.config;
  const api_token = loadOrCreateToken(data_dir);
  const keys = openSiteKeys(siteKeyFile(data_dir), keyOverlapMs(options.config.models));
  let running: Running | null = null;
  let counters = newCounters();
  const started = () => {
    if (!running) throw skadiError("SKADI_CONFLICT", { field: "aggregator", expected: "to be started" });
    return running;
  };
  return {
    api_token,
    get public_key_file() {
      return keys.public_key_file();
    },
    get http_url() {
      return started().http_url;
    },
    get mqtt_url() {
      return started().mqtt_url;
    },
    counters: () => structuredClone(counters),
    async start() {
      if (running) return;
      counters = newCounters();
      running = await run(options, api_token, keys, counters);
    },
    async stop() {
      const ending = running;
      running = null;
      await ending?.stop();
    },
  };
}

/** Builds the parts and starts them one by one; if one fails, those before it are stopped again. */
async function run(
  options: AggregatorOptions,
  token: string,
  keys: SiteKeys,
  counters: Counters,
): Promise<Running> {
  const { config, clock, log } = options;
  const { site, data_dir } = config;
  const undo = new AsyncDisposableStack();
  try {
    const database = databaseFile(data_dir);
    const store = openSqliteStore(database, { flush_ms: config.store.flush_ms, log });
    undo.defer(() => store.close());

    const metrics = createMetrics();
    undo.defer(() => metrics.stop());
    const traces = await openTraces(config, log);
    undo.defer(() => traces?.stop());
    const events = eventBus(store, clock);
    const publish = (topic: string, message: object | null, publishOptions?: { retain?: boolean }) =>
      broker.publish(topic, message, publishOptions);
    const rejections = createRejections({ site, clock, log, counters, events, publish });
    const onRefused = brokerRefusals({ counters, rejections });
    const { publish: published } = metrics;
    const broker = await createBroker({ site, config: config.broker, token, log, published, onRefused });
    undo.defer(() => broker.disconnect());

    const fleet = createFleet(config, store);
    const counter = messageCounter(store.settings);
    const commander = createCommander({ site, keys, counter, counters, publish });
    const mode = modeControl({ initial: config.mode, store, events, commander, fleet });
    const quarantine = openQuarantine({ store, events, clock, log });
    // The chain is verified as a whole, so its checkpoints keep to the first key whatever agents are told.
    const { private_key } = loadOrCreateKey(siteKeyFile(data_dir));
    const journal = openJournal({ site, key: private_key, store, clock, log, publish });
    const { device_spacing_s } = config.actions;
    const safety = { mode, quarantine, journal, device_spacing_s };
    const actions = actionLog({ clock, log, store, counters, events, commander, ...safety });
    const library = modelLibrary(modelFolder(data_dir));
    const registry = createRegistry({ store, library, events, clock, log });
    const rollouts = createRollouts({
      ...{ site, config: config.models, keys, counter, library, registry, fleet },
      ...{ store, events, clock, log, publish },
      inIncident: (rack_id) =>
        incidents.active().some(({ racks }) => racks.some((rack) => rack.rack_id === rack_id)),
    });
    undo.defer(() => rollouts.stop());
    const commanded = (rack: Rack) => isCommanded(actions.setpoints, rack.rack_id, clock.now());
    const mms = createMms({
      ...{ config: config.mms, racks: fleet.racks, store, events, commander, commanded },
      scorer: rollouts.scorer,
      scorerOf: rollouts.scorerOf,
    });
    undo.defer(() => mms.save());
    const notifier = createNotifier({
      ...{ site, config: config.notify, transports: notifyTransports(config.notify) },
      ...{ store, clock, log, publish },
    });
    undo.defer(() => notifier.stop());
    const maintenance = maintenanceCalendar(store, fleet.racks);
    const incidents = createIncidents({
      ...{ clock, log, config, fleet, store, events, mms, maintenance },
      onChange: notifier.onChange,
    });
    const simulator = simulatorLink({ site, events, rejections, publish });
    const ingest = createIngest({
      ...{
        site,
        clock,
        log,
        counters,
        fleet,
        store,
        events,
        rejections,
        mms,
        commander,
        mode,
        actions,
        publish,
      },
      scorerOf: rollouts.scorerOf,
      onScore: rollouts.onScore,
      onModelAck: rollouts.onAck,
      onManifest: rollouts.onManifest,
      onSimulatorStatus: simulator.onStatus,
    });
    rollouts.load();
    const outputs = createOutputs({ config, clock, log, fleet, store, events, incidents, publish });
    const announceAgain = () => {
      rollouts.announceAgain();
      outputs.republish();
      notifier.republish(incidents.active());
    };
    const onMessage = watchMessages(ingest.onMessage, metrics.message, traces);
    await broker.connect(onMessage, () => clock.after(RECONNECT_SETTLE_MS, announceAgain));
    rollouts.announce();
    notifier.start(incidents.active());
    journal.start();
    undo.defer(() => journal.stop());
    incidents.start();
    undo.defer(() => incidents.stop());

    const savings = energyLedger({ store, fleet, actions, clock, log, config: config.savings });
    savings.start();
    undo.defer(() => savings.stop());
    const trainer = createTrainer({ data_dir, database, limits: config.limits });
    const report: ReportContext = {
      ...{ config, fleet, store },
      overview() {
        const model_id = rollouts.scorer()?.model.id ?? null;
        const energy_saved_pct = savings.lastDay().estimate?.saved_pct ?? null;
        const shown = { actions: store.actions.count(), incidents: incidents.active(), energy_saved_pct };
        return siteOverview({ config, fleet, mode: mode.get(), model_id, ...shown }, clock.now());
      },
      incidents: incidentSource(incidents),
      savings: savingSource(savings),
      thresholds: () => rollouts.scorer()?.model ?? null,
    };
    const learning = {
      ...{ config, database, fleet, store, events, library, registry, rollouts, clock, log },
      model: () => rollouts.scorer()?.model ?? null,
    };
    const drift = createDriftCheck(learning);
    const retraining = createRetraining(learning);
    const schedules = siteSchedules({ config, clock, log, drift, retraining, report, journal });
    undo.defer(async () => {
      // In this order: a training that is under way would otherwise be waited for.
      const ended = schedules.stop();
      await Promise.all([trainer.stop(), drift.stop(), retraining.stop()]);
      await ended;
    });
    const optimizer = createOptimizer({
      ...{
        clock,
        log,
        fleet,
        store,
        events,
        rollout: rollouts,
        mode,
        actions,
        quarantine,
        simulator,
        config,
      },
      solve: config.optimizer.policy === "predictive" ? await createSolver() : null,
    });
    optimizer.start();
    undo.defer(() => optimizer.stop());

    metrics.add({
      ...{ config, clock, fleet, mode, quarantine, incidents, rollouts, savings },
      ...{ counters, broker_connected: broker.connected, notifier, schedules },
    });
    const api = await createApiServer({
      ...{
        config,
        clock,
        log,
        token,
        counters,
        fleet,
        store,
        events,
        mode,
        actions,
        quarantine,
        journal,
        savings,
        optimizer,
        library,
        registry,
        keys,
        rollouts,
      },
      ...{ drift, retraining },
      ...{ trainer, simulator, report, schedules, rejections, telemetry: ingest.telemetry },
      ...{ mms, metrics, traces, incidents, maintenance, notifier },
      started_ms: performance.now(),
      broker_connected: broker.connected,
    });
    undo.defer(() => api.close());
    const http_url = `http://${reachableHost(config.http.host)}:${await api.listen()}`;
    undo.defer(() => broker.shut());
    const mqtt_url = await broker.open();
    undo.defer(() => outputs.stop());
    await outputs.start(mqtt_url);
    schedules.start();
    log.info({ http_url, mqtt_url, racks: fleet.racks.length, ...mode.get() }, "aggregator started");
    return { http_url, mqtt_url, stop: () => undo.disposeAsync() };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}
