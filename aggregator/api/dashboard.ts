import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { Api } from "./context.ts";

const DIST = fileURLToPath(new URL("../dashboard/dist/", import.meta.url));

/** The dashboard as `npm run build:dashboard` leaves it. The names of its assets change with their content. */
export async function serveDashboard(api: Api): Promise<void> {
  if (!existsSync(join(DIST, "index.html"))) {
    api.get("/", { schema: { hide: true } }, async (_request, reply) =>
      reply.type("text/plain").send("The dashboard is not built: npm run build:dashboard\n"),
    );
    return;
  }
  await api.register(fastifyStatic, {
    root: DIST,
    wildcard: false,
    preCompressed: true,
    cacheControl: false,
    setHeaders(reply, path) {
      const lasting = path.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
      reply.header("cache-control", lasting);
    },
  });
}
