import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { keepAlive } from "../../../../aggregator/api/keep-alive.ts";
import { eventually } from "../../../support/eventually.ts";

const PERIOD_MS = 50;

it("a listener that answers pings is kept; one that does not is dropped", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  onTestFinished(() => server.close());
  server.on("connection", (socket) => keepAlive(socket, PERIOD_MS));
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const listen = (autoPong: boolean) => new WebSocket(`ws://127.0.0.1:${port}`, { autoPong });
  const alive = listen(true);
  const gone = listen(false);
  onTestFinished(() => {
    alive.terminate();
    gone.terminate();
  });
  await eventually("the silent one's end", () => gone.readyState === WebSocket.CLOSED);
  await setTimeout(4 * PERIOD_MS);
  expect(alive.readyState).toBe(WebSocket.OPEN);
});
