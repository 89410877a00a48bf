import type { FastifyInstance } from "fastify";

/** What a test lets a service do to its clients: answer late, or with an error. */
export interface Disturbance {
  /** Real milliseconds before any answer. */
  delay_ms?: number;
  /** Answered instead, e.g. 503. */
  status?: number;
  retry_after_s?: number;
}

/** Lets a service be disturbed; the returned function sets what happens from now on, null ends it. */
export function disturbable(app: FastifyInstance): (disturbance: Disturbance | null) => void {
  let current: Disturbance | null = null;
  app.addHook("onRequest", async (_request, reply) => {
    if (!current) return;
    const { delay_ms, status, retry_after_s } = current;
    if (delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, delay_ms));
    if (retry_after_s !== undefined) reply.header("retry-after", String(retry_after_s));
    if (status !== undefined) return reply.code(status).send();
  });
  return (disturbance) => {
    current = disturbance;
  };
}
