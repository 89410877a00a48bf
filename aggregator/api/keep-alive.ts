import type { WebSocket } from "@fastify/websocket";

const PERIOD_MS = 15_000;

/**
 * Pings in a period, and drops a listener that has not answered by the next: one whose machine sleeps or whose network is
 * gone would else be written to until the backlog is full. Browsers and libraries answer by themselves.
 */
export function keepAlive(socket: WebSocket, period_ms = PERIOD_MS): void {
  let answered = true;
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, period_ms);
  socket.on("pong", () => {
    answered = true;
  });
  socket.on("close", () => clearInterval(timer));
}
