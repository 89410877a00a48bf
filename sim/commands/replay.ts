import { Command } from "commander";
import mqtt from "mqtt";
import { numberOption } from "../../shared/cli.ts";
import { MEASURED_FIELDS } from "../../shared/contracts/telemetry.ts";
import { upTopic } from "../../shared/contracts/topics.ts";
import { numericCell, readCsv } from "../../shared/csv.ts";
import { skadiError } from "../../shared/errors.ts";

/** Messages on their way at once. */
const UNDER_WAY_MAX = 256;

interface Flags {
  data: string;
  broker: string;
  site: string;
  speed?: number;
  json?: boolean;
}

/** `skadi-sim replay`: publishes the rows of a data set as telemetry, as fast as the broker takes them or paced. */
export function replayCommand(): Command {
  return new Command("replay")
    .description("publish a CSV data set as telemetry over MQTT")
    .requiredOption("--data <csv>", "a file as skadi-sim generate writes it")
    .option("--broker <url>", "MQTT broker", "mqtt://127.0.0.1:1883")
    .option("--site <site>", "site", "dc1")
    .option(
      "--speed <x>",
      "recorded seconds per real second (default: as fast as possible)",
      numberOption(0.001, 1e9),
    )
    .option("--json", "print the result as JSON")
    .action(replay);
}

async function replay(flags: Flags): Promise<void> {
  const client = await connect(flags.broker);
  const started = performance.now();
  let first_ms: number | null = null;
  const under_way = new Set<Promise<unknown>>();
  const columns = ["ts", "rack_id", "gpu_power_kw", ...MEASURED_FIELDS];
  let pending: { topic: string; payload: string; ts_ms: number }[] = [];
  const flush = async () => {
    const batch = pending;
    pending = [];
    for (const { topic, payload, ts_ms } of batch) {
      first_ms ??= ts_ms;
      if (flags.speed !== undefined) await until(started + (ts_ms - first_ms) / flags.speed);
      const sent: Promise<unknown> = client
        .publishAsync(topic, payload, { qos: 1 })
        .finally(() => under_way.delete(sent));
      under_way.add(sent);
      if (under_way.size >= UNDER_WAY_MAX) await Promise.race(under_way);
    }
  };
  const rows = await readCsv(
    flags.data,
    columns,
    ([ts, rack_id, ...cells], line) => {
      const sample: Record<string, unknown> = { v: 1, ts, rack_id };
      for (const [i, text] of cells.entries()) {
        const column = columns[i + 2]!;
        const value = numericCell(flags.data, text, column, line);
        if (!Number.isNaN(value)) sample[column] = value;
        else if (column !== "gpu_power_kw") sample[column] = null;
      }
      pending.push({
        topic: upTopic(flags.site, rack_id!, "telemetry"),
        payload: JSON.stringify(sample),
        ts_ms: Date.parse(ts!),
      });
    },
    flush,
  );
  await Promise.all(under_way);
  await client.endAsync();
  const seconds = (performance.now() - started) / 1000;
  const result = { rows, seconds: Number(seconds.toFixed(2)), rows_per_s: Math.round(rows / seconds) };
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(result)}\n`
      : `${rows} rows published in ${result.seconds} s (${result.rows_per_s} rows/s)\n`,
  );
}

async function connect(url: string) {
  try {
    return await mqtt.connectAsync(url, {}, false);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_MQTT", {
      field: "--broker",
      value: url,
      expected: `a running broker (${reason})`,
    });
  }
}

async function until(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > 1) await new Promise((resolve) => setTimeout(resolve, left));
}
