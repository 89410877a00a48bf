import { createServer } from "node:http";
import type { Log } from "../../shared/log.ts";
import type { MetricsPage } from "../../shared/metrics.ts";

export interface MetricsServer {
  close(): Promise<void>;
}

interface MetricsServerContext {
  host: string;
  port: number;
  page: MetricsPage;
  log: Log;
}

/** Serves the page at /metrics and nothing else. A port that cannot be had is logged: the rack is guarded all the same. */
export function serveMetrics({ host, port, page, log }: MetricsServerContext): MetricsServer {
  const server = createServer((request, response) => {
    // A body is of no interest, but must not be left in the connection.
    request.resume();
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end();
    } else if (request.method !== "GET") {
      response.writeHead(405, { allow: "GET" }).end();
    } else {
      page.text().then(
        (text) => response.writeHead(200, { "content-type": page.content_type }).end(text),
        (error: unknown) => {
          log.error({ event: "metrics_failed", err: error });
          response.writeHead(500).end();
        },
      );
    }
  });
  server.maxConnections = 16;
  // The page must not keep alive an agent that has ended.
  server.unref();
  server.on("error", (error) => log.error({ event: "metrics_unavailable", host, port, err: error }));
  server.listen(port, host, () => {
    const address = server.address();
    const real_port = typeof address === "object" && address ? address.port : port;
    log.info({ event: "metrics_served", host, port: real_port });
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
