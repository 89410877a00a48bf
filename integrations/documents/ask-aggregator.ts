import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAggregator } from "../../aggregator/aggregator.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";

/** What a new aggregator with the default configuration answers to one request. */
export async function askAggregator(path: string): Promise<Response> {
  const data_dir = mkdtempSync(join(tmpdir(), "skadi-documents-"));
  const config = AggregatorConfig.parse({ data_dir, broker: { port: 0 }, http: { port: 0 } });
  const log = createLog("documents", "silent");
  const aggregator = await createAggregator({ config, clock: systemClock(), log });
  await aggregator.start();
  try {
    const response = await fetch(`${aggregator.http_url}${path}`);
    return new Response(await response.text(), response);
  } finally {
    await aggregator.stop();
    rmSync(data_dir, { recursive: true, force: true });
  }
}
