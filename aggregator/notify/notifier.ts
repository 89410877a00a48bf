import type { NotifyConfig } from "../../shared/contracts/config.ts";
import type { Incident } from "../../shared/contracts/incident.ts";
import { incidentTopic } from "../../shared/contracts/topics.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { isActive } from "../incidents/book.ts";
import { atLeast } from "../incidents/wording.ts";
import { type ChannelCounts, createChannel } from "./channel.ts";
import { emailTransport } from "./email.ts";
import { webhookTransport } from "./webhook.ts";

export interface Notifier {
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
  clock: Clock;
  log: Log;
  publish: (topic: string, message: object | null, options?: { retain?: boolean }) => void;
}

/** Changes that are worth a message; annotations and single racks are on the page. */
const NEWS: ReadonlySet<string> = new Set(["opened", "widened", "severity", "closed", "reopened"]);

/** Tells people of incidents: retained on MQTT at once, by webhook and mail when they have stood for a while. */
export function createNotifier(context: NotifierContext): Notifier {
  const { site, config, clock, log, publish } = context;
  const transports = [webhookTransport(config.webhook), emailTransport(config.email)];
  const channels = transports.flatMap((transport) =>
    transport ? [createChannel({ site, transport, settings: config, clock, log })] : [],
  );
  const held = new Map<string, { latest: Incident; cancel: () => void }>();
  const told = new Set<string>();

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
  const hold = (incident: Incident) => {
    const { id } = incident;
    const cancel = clock.after(config.hold_s * 1000, () => {
      const latest = held.get(id)?.latest;
      if (latest) tell(latest);
    });
    held.set(id, { latest: incident, cancel });
  };

  return {
    onChange(incident) {
      onBroker(incident);
      if (channels.length === 0 || incident.maintenance) return;
      const { id, severity } = incident;
      const waiting = held.get(id);
      if (!isActive(incident)) {
        // Over before anybody was told, or a part of another: no word of it.
        waiting?.cancel();
        held.delete(id);
        if (told.has(id) && incident.merged_into === null) tell(incident);
        told.delete(id);
        return;
      }
      if (!atLeast(severity, config.min_severity)) return;
      if (told.has(id)) {
        const { timeline, updated_at } = incident;
        if (timeline.some(({ ts, kind }) => ts === updated_at && NEWS.has(kind))) tell(incident);
      } else if (severity === "critical" || config.hold_s === 0) tell(incident);
      else if (waiting) waiting.latest = incident;
      else hold(incident);
    },
    republish(incidents) {
      for (const incident of incidents) {
        onBroker(incident);
        // Of what is open since before this start people have heard already.
        if (!held.has(incident.id) && atLeast(incident.severity, config.min_severity)) told.add(incident.id);
      }
    },
    counts: () => Object.fromEntries(channels.map((channel) => [channel.name, channel.counts()])),
    stop() {
      for (const { cancel } of held.values()) cancel();
      for (const channel of channels) channel.stop();
    },
  };
}
