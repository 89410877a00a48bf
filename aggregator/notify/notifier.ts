import type { NotifyConfig } from "../../shared/contracts/config.ts";
import type { Incident } from "../../shared/contracts/incident.ts";
import { incidentTopic } from "../../shared/contracts/topics.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { isActive } from "../incidents/book.ts";
import { atLeast } from "../incidents/wording.ts";
import type { Store } from "../store/store.ts";
import { type Channel, type ChannelCounts, createChannel, type Transport } from "./channel.ts";
import { openDelivered } from "./delivered.ts";
import { emailTransport } from "./email.ts";
import { webhookTransport } from "./webhook.ts";

export interface Notifier {
  /** Puts what is open on the broker, and goes on with what was not told before this start. */
  start(active: readonly Incident[]): void;
  /** Takes in every change of an incident; returns at once. */
  onChange(incident: Incident): void;
  /** Puts what is open on the broker again, which may have forgotten it. */
  republish(incidents: readonly Incident[]): void;
  counts(): Record<string, ChannelCounts>;
  stop(): void;
}

interface NotifierContext {
  site: string;
  config: NotifyConfig;
  transports: readonly Transport[];
  store: Pick<Store, "settings" | "incidents">;
  clock: Clock;
  log: Log;
  publish: (topic: string, message: object | null, options?: { retain?: boolean }) => void;
}

/** Changes that are worth a message; annotations and single racks are on the page. */
const NEWS: ReadonlySet<string> = new Set([
  "opened",
  "widened",
  "severity",
  "closed",
  "reopened",
  "maintenance_over",
]);

/** The ways to people that are configured. */
export const notifyTransports = ({ webhook, email }: NotifyConfig): Transport[] =>
  [webhookTransport(webhook), emailTransport(email)].filter((transport) => transport !== null);

/** Tells people of incidents: retained on MQTT at once, by webhook and mail when they have stood for a while. */
export function createNotifier(context: NotifierContext): Notifier {
  const { site, config, transports, store, clock, log, publish } = context;
  const delivered = openDelivered(
    store.settings,
    transports.map(({ name }) => name),
  );
  const hold_ms = config.hold_s * 1000;
  const held = new Map<string, { latest: Incident; cancel: () => void }>();
  /** Not over, and every channel has been given a word on it; what a channel took of that is `delivered`. */
  const told = new Set<string>();
  const channels = transports.map((transport): Channel => {
    const onSettled = (incidents: readonly Incident[], taken: boolean) => {
      // One may have become a part of another while its message was on the way: people hear of that other's end.
      const own = incidents.filter(({ id }) => store.incidents.get(id)?.merged_into === null);
      delivered.settled(own, transport.name, taken);
    };
    return createChannel({ site, transport, settings: config, clock, log, onSettled });
  });

  const onBroker = (incident: Incident) => {
    if (!config.mqtt) return;
    const message = isActive(incident) ? incident : null;
    publish(incidentTopic(site, incident.id), message, { retain: true });
  };
  const tell = (incident: Incident) => {
    held.get(incident.id)?.cancel();
    held.delete(incident.id);
    if (isActive(incident)) told.add(incident.id);
    else told.delete(incident.id);
    for (const channel of channels) channel.offer(incident);
  };
  const hold = (incident: Incident, wait_ms: number) => {
    const { id } = incident;
    const cancel = clock.after(wait_ms, () => {
      const latest = held.get(id)?.latest;
      if (latest) tell(latest);
    });
    held.set(id, { latest: incident, cancel });
  };

  const isBigEnough = ({ severity }: Incident) => atLeast(severity, config.min_severity);
  /** Critical: at once; else if it stands for `wait_ms` more. */
  const tellInTime = (incident: Incident, wait_ms: number) => {
    if (incident.severity === "critical" || wait_ms <= 0) tell(incident);
    else hold(incident, wait_ms);
  };
  /** What a channel has not taken of an incident that is told: it waited, or was tried again, when we stopped. */
  const catchUp = (incident: Incident) => {
    for (const channel of channels) {
      const version = delivered.version(incident.id, channel.name) ?? "";
      if (incident.timeline.some(({ ts, kind }) => ts > version && NEWS.has(kind))) channel.offer(incident);
    }
  };
  /** The end of an incident that was told; null: the store has forgotten it. */
  const catchUpEnd = (id: string, incident: Incident | null) => {
    if (incident === null || incident.merged_into !== null) return delivered.forget(id);
    for (const channel of channels) {
      if (delivered.version(id, channel.name) !== undefined) channel.offer(incident);
    }
  };

  return {
    start(active) {
      const ids = new Set(active.map(({ id }) => id));
      for (const id of delivered.ids()) if (!ids.has(id)) catchUpEnd(id, store.incidents.get(id));
      for (const incident of active) {
        onBroker(incident);
        if (delivered.has(incident.id)) {
          told.add(incident.id);
          catchUp(incident);
        } else if (channels.length > 0 && !incident.maintenance && isBigEnough(incident)) {
          const stood_ms = Math.max(0, clock.now() - Date.parse(incident.opened_at));
          tellInTime(incident, hold_ms - stood_ms);
        }
      }
    },
    onChange(incident) {
      onBroker(incident);
      if (channels.length === 0 || incident.maintenance) return;
      const { id } = incident;
      const waiting = held.get(id);
      if (!isActive(incident)) {
        // Over before anybody was told, or a part of another: no word of it.
        waiting?.cancel();
        held.delete(id);
        if (incident.merged_into !== null) delivered.forget(id);
        else if (told.has(id)) tell(incident);
        told.delete(id);
        return;
      }
      if (!isBigEnough(incident)) return;
      if (told.has(id)) {
        const { timeline, updated_at } = incident;
        if (timeline.some(({ ts, kind }) => ts === updated_at && NEWS.has(kind))) tell(incident);
      } else if (waiting && incident.severity !== "critical") waiting.latest = incident;
      else tellInTime(incident, hold_ms);
    },
    republish(incidents) {
      for (const incident of incidents) onBroker(incident);
    },
    counts: () => Object.fromEntries(channels.map((channel) => [channel.name, channel.counts()])),
    stop() {
      for (const { cancel } of held.values()) cancel();
      for (const channel of channels) channel.stop();
    },
  };
}
