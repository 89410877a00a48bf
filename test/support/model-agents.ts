import type { MqttClient } from "mqtt";
import type { ModelManifest, Release } from "../../shared/contracts/manifest.ts";
import type { Ack, Status } from "../../shared/contracts/messages.ts";
import { modelTopic, upTopic } from "../../shared/contracts/topics.ts";
import type { Rejection } from "../../shared/errors.ts";
import { isoTime } from "../../shared/time.ts";

/** Agents that do nothing but answer the models they are offered; they believe every manifest. */
export interface ModelAgents {
  /** What each rack runs. */
  running(): Record<string, string | null>;
}

/**
 * Puts racks online and lets them answer.
 *
 * @param judge why a rack refuses a model; an empty list: it takes it; null: it stays silent
 */
export async function modelAgents(
  client: MqttClient,
  site: string,
  racks: readonly string[],
  judge: (rack_id: string, release: Release) => Rejection[] | null = () => [],
): Promise<ModelAgents> {
  const runs = new Map<string, Release | null>(racks.map((rack_id) => [rack_id, null]));
  const asked = new Map<string, string>();
  const tellStatus = (rack_id: string) => {
    const release = runs.get(rack_id) ?? null;
    const status: Status = {
      ...{ v: 1, ts: isoTime(Date.now()), rack_id, state: "online", agent_version: "test", driver: "test" },
      mode: "advisory",
      model_id: release?.model_id ?? null,
      model_sha256: release?.sha256 ?? null,
    };
    return client.publishAsync(upTopic(site, rack_id, "status"), JSON.stringify(status), {
      qos: 1,
      retain: true,
    });
  };
  client.on("message", (topic, payload) => {
    if (topic !== modelTopic(site) || payload.length === 0) return;
    const { counter, release, assignments } = JSON.parse(payload.toString()) as ModelManifest;
    for (const rack_id of racks) {
      const own = assignments.find((assignment) => assignment.racks.includes(rack_id))?.release ?? release;
      if (asked.get(rack_id) === own.sha256) continue;
      asked.set(rack_id, own.sha256);
      const errors = judge(rack_id, own);
      if (errors === null) continue;
      const ok = errors.length === 0;
      if (ok) runs.set(rack_id, own);
      const ack: Ack = {
        ...{ v: 1, ts: isoTime(Date.now()), rack_id, of: "model", ok, ref: own.model_id, errors, counter },
      };
      client.publish(upTopic(site, rack_id, "ack"), JSON.stringify(ack), { qos: 1 });
      if (ok) void tellStatus(rack_id);
    }
  });
  for (const rack_id of racks) await tellStatus(rack_id);
  await client.subscribeAsync(modelTopic(site), { qos: 1 });
  return {
    running: () => Object.fromEntries([...runs].map(([rack_id, run]) => [rack_id, run?.model_id ?? null])),
  };
}
