import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { freeTcpPort } from "./ports.ts";
import { temporaryFolder } from "./temporary.ts";

/** What `promtool check metrics` finds wrong with a page: nothing at best. */
export function lintMetrics(page: string): string {
  const { status, stdout, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: page,
    encoding: "utf8",
  });
  if (error) throw error;
  return status === 0 ? `${stdout}${stderr}` : `promtool ended with ${status}: ${stdout}${stderr}`;
}

/** The names of a page's samples, without those of a histogram's parts. */
export function metricNames(page: string): Set<string> {
  return new Set([...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!));
}

/** A real Prometheus that scrapes the given targets every 200 ms. */
export async function startPrometheus(targets: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  const address = `127.0.0.1:${await freeTcpPort()}`;
  const jobs = Object.entries(targets).map(([job_name, target]) => ({
    job_name,
    static_configs: [{ targets: [target] }],
  }));
  const config = { global: { scrape_interval: "200ms", scrape_timeout: "200ms" }, scrape_configs: jobs };
  // YAML is a superset of JSON.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const options = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=${address}`,
  ];
  const child = spawn("prometheus", options, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const query = async (expression: string): Promise<{ metric: Record<string, string>; value: number }[]> => {
    const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const body = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (body.status !== "success") throw new Error(`${expression}: ${body.error}`);
    return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
  await eventually("Prometheus is ready", async () => (await fetch(`http://${address}/-/ready`)).ok, 20_000);
  return { query };
}
