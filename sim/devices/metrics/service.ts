import type { AddressInfo } from "node:net";
import fastify from "fastify";
import type { Plant } from "../../plant/plant.ts";
import { type Disturbance, disturbable } from "../disturbance.ts";
import type { Instruments } from "../instruments.ts";
import { EXPOSITION_TYPE } from "./exposition.ts";
import { rackMetrics } from "./rack-metrics.ts";
import { addScheduler } from "./scheduler.ts";

export interface MetricsOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Bearer token of the scheduler; /metrics is open, as exporters are. */
  token: string;
}

export interface MetricsServer {
  /** Of the service; the page is at /metrics, the scheduler at /v1/scheduler/racks/<rack_id>. */
  readonly url: string;
  disturb(disturbance: Disturbance | null): void;
  close(): Promise<void>;
}

/** The rack's inference servers: their Prometheus page, and the request scheduler before them. */
export async function serveMetrics(
  device: Instruments,
  plant: Plant,
  options: MetricsOptions,
): Promise<MetricsServer> {
  const app = fastify({ forceCloseConnections: true });
  const disturb = disturbable(app);
  app.get("/metrics", async (_request, reply) => reply.type(EXPOSITION_TYPE).send(rackMetrics(device)));
  addScheduler(app, plant, device.rack_id, options.token);
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://${options.host}:${port}`, disturb, close: () => app.close() };
}
