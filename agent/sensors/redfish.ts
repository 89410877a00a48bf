import type { CommonPoint } from "../../shared/contracts/devices/common.ts";
import type { RedfishSensor, RedfishSource } from "../../shared/contracts/devices/redfish.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { REDFISH_PROFILES } from "../devices/profiles/redfish.ts";
import { isAnswer, type RedfishClient, type RedfishDocument, redfishConnector } from "../devices/redfish.ts";
import { membersOf, type RedfishValue, valuesIn } from "../devices/redfish-value.ts";
import type { PointReading, SensorDevice } from "./device.ts";

export interface RedfishPoint extends CommonPoint {
  /** The first of these that the device has is read. */
  sources: readonly RedfishSource[];
}

/** The points of the configured profiles, then those of the configuration. */
export function redfishPoints({ profiles, points }: RedfishSensor): RedfishPoint[] {
  const ready = profiles.flatMap(({ profile, uri, fields }) =>
    REDFISH_PROFILES[profile]
      .filter(({ field, by_default }) => fields?.includes(field) ?? by_default)
      .map(({ field, unit, sources }) => ({
        field,
        unit,
        scale: 1,
        offset: 0,
        sources: sources.map(({ path, each_member = false, pointer, select }) => ({
          uri: `${uri.replace(/\/$/, "")}/${path}`,
          each_member,
          pointer,
          select,
        })),
      })),
  );
  return [...ready, ...points.map((point) => ({ ...point, sources: [point] }))];
}

/** Reads each resource once per poll, side by side, and only sends for what has changed. */
export function redfishSensor(
  config: RedfishSensor,
  points: readonly RedfishPoint[],
  clock: Clock,
  log: Log,
): SensorDevice {
  const connect = redfishConnector(config, clock, log);
  let client: RedfishClient | null = null;
  let known = new Map<string, RedfishDocument>();
  /** Which of its sources each point was found in. */
  let found: (number | undefined)[] = [];
  const silent = new Set<string>();

  const shut = async () => {
    const old = client;
    client = null;
    await old?.close();
  };
  const note = (uri: string, error?: unknown) => {
    if (error === undefined) {
      if (silent.delete(uri)) log.info({ event: "resource_answers_again", device: config.name, uri });
    } else if (!silent.has(uri)) {
      silent.add(uri);
      log.warn({ event: "resource_failed", device: config.name, uri, reason: String(error) });
    }
  };

  return {
    name: config.name,
    async open() {
      await shut();
      client = connect();
      known = new Map();
      found = [];
    },
    async read(signal) {
      const reader = client;
      if (!reader) throw new Error("not open");
      const asked = new Map<string, Promise<RedfishDocument | null>>();
      const failures: unknown[] = [];
      const fetch = async (uri: string): Promise<RedfishDocument | null> => {
        try {
          const document = await reader.get(uri, signal, known.get(uri));
          if (document) known.set(uri, document);
          note(uri);
          return document;
        } catch (error) {
          if (signal.aborted || !isAnswer(error)) throw error;
          note(uri, error);
          failures.push(error);
          return null;
        }
      };
      const once = (uri: string) => {
        const first = asked.get(uri) ?? fetch(uri);
        asked.set(uri, first);
        return first;
      };
      const readings = await Promise.all(
        points.map(async ({ sources }, i) => {
          const last = found[i];
          const candidates = last === undefined ? sources.keys() : [last];
          for (const k of candidates) {
            const reading = await readSource(sources[k]!, once);
            if (!reading) continue;
            found[i] = k;
            return reading;
          }
          return { values: [null] };
        }),
      );
      if (failures.length > 0 && readings.every(({ values }) => values.every((v) => v === null)))
        throw failures[0];
      return readings;
    },
    close: shut,
  };
}

/** @returns undefined when the device has no such thing */
async function readSource(
  source: RedfishSource,
  once: (uri: string) => Promise<RedfishDocument | null>,
): Promise<PointReading | undefined> {
  const resource = await once(source.uri);
  if (!resource) return undefined;
  const uris = source.each_member ? membersOf(resource.body) : [source.uri];
  if (!uris || uris.length === 0) return undefined;
  const documents = await Promise.all(uris.map(once));
  const found = documents.map((document) => ({
    document,
    values: document && valuesIn(document.body, source),
  }));
  if (found.every(({ values }) => !values)) return undefined;
  const parts = found.flatMap(({ document, values }) =>
    (values ?? [NOTHING]).map((part) => ({ ...part, age_ms: document ? ageOf(part, document) : 0 })),
  );
  return {
    values: parts.map(({ value }) => value),
    suspect: parts.some(({ suspect }) => suspect),
    age_ms: Math.max(...parts.map(({ age_ms }) => age_ms)),
  };
}

const NOTHING: RedfishValue = { value: null, suspect: false, read_ms: undefined };

/** By the device's own clock alone, which may be wrong; a resource that has not changed holds now. */
function ageOf({ read_ms }: RedfishValue, { unchanged, device_ms }: RedfishDocument): number {
  if (unchanged || read_ms === undefined || device_ms === undefined) return 0;
  return Math.max(0, device_ms - read_ms);
}
