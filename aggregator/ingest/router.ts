import { modelTopic, parseUpTopic, type UpChannel } from "../../shared/contracts/topics.ts";

type Handler = (topic_rack: string, payload: Uint8Array) => void;

interface Routes {
  site: string;
  channels: Record<UpChannel, Handler>;
  manifest: (payload: Uint8Array) => void;
  simulatorStatus: (payload: Uint8Array) => void;
}

/** The simulator's topics have this word where an agent's have the rack. */
const SIMULATOR_LEVEL = "sim";

/** Which handler a topic belongs to. */
export function routeMessages(routes: Routes): (topic: string, payload: Uint8Array) => void {
  const manifest_topic = modelTopic(routes.site);
  return (topic, payload) => {
    if (topic === manifest_topic) return routes.manifest(payload);
    const up = parseUpTopic(topic);
    if (!up || up.site !== routes.site) return;
    if (up.rack_id !== SIMULATOR_LEVEL) return routes.channels[up.channel](up.rack_id, payload);
    if (up.channel === "status") routes.simulatorStatus(payload);
  };
}
