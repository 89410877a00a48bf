import type { WebSocket } from "@fastify/websocket";
import { skadiError } from "../../../shared/errors.ts";
import { sameOrigin } from "../auth.ts";
import type { RouteGroup } from "../context.ts";

/** A listener that falls this far behind is dropped: it may come back, but it must not fill our memory. */
const BACKLOG_MAX_BYTES = 1 << 20;

export const eventRoutes: RouteGroup = (api, context) => {
  const listen = (socket: WebSocket): void => {
    const unsubscribe = context.events.subscribe((event) => {
      if (socket.bufferedAmount > BACKLOG_MAX_BYTES) socket.terminate();
      else socket.send(JSON.stringify(event));
    });
    socket.on("close", unsubscribe);
    socket.on("error", (error: Error) => context.log.debug({ err: error }, "WebSocket failed"));
  };
  api.route({
    method: "GET",
    url: "/ws/events",
    onRequest: sameOrigin,
    schema: {
      tags: ["events"],
      summary: "WebSocket: every event as one JSON message {id, ts, type, rack_id, data}",
    },
    handler: async () => {
      throw skadiError("SKADI_INVALID_FIELD", { field: "upgrade", expected: "a WebSocket connection" });
    },
    wsHandler: listen,
  });
};
