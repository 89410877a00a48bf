import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { createAggregator } from "../../aggregator/aggregator.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { racksOf } from "../../shared/contracts/rack.ts";
import { upTopic } from "../../shared/contracts/topics.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { smallModel } from "../support/models.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";

const RACKS = racksOf(["A", "B", "C", "D", "E", "F"], 12);
const SAMPLES_PER_RACK = 300;
const UNDER_WAY_PER_RACK = 8;

/** 72 connections publish telemetry as fast as they can; the aggregator scores, stores and classifies all of it. */
export async function benchPipeline(): Promise<void> {
  const data_dir = mkdtempSync(join(tmpdir(), "skadi-bench-"));
  writeModelFile(join(data_dir, "models", "bench.json"), smallModel());
  const config = AggregatorConfig.parse({ data_dir, broker: { port: 0 }, http: { port: 0 } });
  const aggregator = await createAggregator({
    config,
    clock: systemClock(),
    log: createLog("bench", "error"),
  });
  await aggregator.start();
  const started = performance.now();
  await Promise.all(RACKS.map((rack_id) => publishAll(aggregator.mqtt_url, rack_id)));
  await aggregator.stop();
  const seconds = (performance.now() - started) / 1000;
  const { accepted, scores_aggregator, rejected_total } = aggregator.counters();
  rmSync(data_dir, { recursive: true });
  const offered = RACKS.length * SAMPLES_PER_RACK;
  console.log(
    `pipeline: ${offered.toLocaleString("en")} samples of ${RACKS.length} connections published, ${accepted} accepted, ${scores_aggregator} scored, stored and classified, ${rejected_total} rejected: ${Math.round(accepted / seconds).toLocaleString("en")}/s (72 racks need 14.4/s)`,
  );
}

async function publishAll(url: string, rack_id: string): Promise<void> {
  const client = await mqtt.connectAsync(url);
  const topic = upTopic("dc1", rack_id, "telemetry");
  const start_ms = Date.now();
  for (let i = 0; i < SAMPLES_PER_RACK; i += UNDER_WAY_PER_RACK) {
    const batch = Array.from({ length: Math.min(UNDER_WAY_PER_RACK, SAMPLES_PER_RACK - i) }, (_, j) => i + j);
    await Promise.all(batch.map((n) => client.publishAsync(topic, sample(rack_id, n, start_ms), { qos: 1 })));
  }
  await client.endAsync();
}

function sample(rack_id: string, n: number, start_ms: number): string {
  return JSON.stringify({
    v: 1,
    ts: new Date(start_ms + n * 5_000).toISOString(),
    rack_id,
    seq: n,
    interval_s: 5,
    ...NOMINAL_SAMPLE,
  });
}
