import type { WebSocket } from "@fastify/websocket";
import type { FastifyRequest } from "fastify";
import * as z from "zod";
import { skadiError } from "../../../shared/errors.ts";
import { isoTime } from "../../../shared/time.ts";
import { sameOrigin } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { keepAlive } from "../keep-alive.ts";
import { overviewFeed } from "../overview-feed.ts";

/** A listener that falls this far behind is dropped: it may come back, but it must not fill our memory. */
const BACKLOG_MAX_BYTES = 8 << 20;

const Listen = z.object({
  since: z
    .string()
    .max(64)
    .optional()
    .describe("`cursor` of the last event received: what was missed comes first, or one event `gap`"),
  overview: z
    .enum(["0", "1"])
    .default("0")
    .describe("1: once a second an event `overview`, with the racks that changed"),
});

export const eventRoutes: RouteGroup = (api, context) => {
  const feed = overviewFeed(context.report.overview);
  api.addHook("onClose", async () => feed.close());

  const listen = (socket: WebSocket, request: FastifyRequest): void => {
    const { since, overview } = request.query as z.infer<typeof Listen>;
    const send = (message: string) => {
      if (socket.bufferedAmount > BACKLOG_MAX_BYTES) socket.terminate();
      else socket.send(message);
    };
    const missed = since === undefined ? [] : context.events.since(since);
    if (missed === null) send(JSON.stringify(gap(isoTime(context.clock.now()))));
    for (const event of missed ?? []) send(JSON.stringify(event));
    const ends = [context.events.subscribe((event) => send(JSON.stringify(event)))];
    if (overview === "1") ends.push(feed.subscribe(send));
    socket.on("close", () => {
      for (const end of ends) end();
    });
    keepAlive(socket);
    socket.on("error", (error: Error) => context.log.debug({ err: error }, "WebSocket failed"));
  };
  api.route({
    method: "GET",
    url: "/ws/events",
    onRequest: sameOrigin,
    schema: {
      tags: ["events"],
      summary: "WebSocket: every event as one JSON message {id, ts, type, rack_id, data, cursor}",
      querystring: Listen,
    },
    handler: async () => {
      throw skadiError("SKADI_INVALID_FIELD", { field: "upgrade", expected: "a WebSocket connection" });
    },
    wsHandler: listen,
  });
};

/** More was missed than is remembered: whoever gets this asks for the whole again. */
function gap(ts: string) {
  return { id: "gap", ts, type: "gap", rack_id: null, data: {} };
}
