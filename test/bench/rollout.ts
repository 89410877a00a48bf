import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { type Agent, createAgent } from "../../agent/agent.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { racksOf, rowNames } from "../../shared/contracts/rack.ts";
import type { RolloutView } from "../../shared/contracts/rollout.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { alarmingModel, NO_ACTUATORS, noisyModel, noisySensors } from "../support/noisy-racks.ts";
import { freeTcpPort } from "../support/ports.ts";
import { noisySite, rollOut } from "../support/rollout-site.ts";
import { missedTicks, tickLog } from "../support/tick-log.ts";
import type { BenchOptions } from "./options.ts";

const AGENTS = 1_000;
const PER_ROW = 50;
const SWAPS = 3;
/** Every agent synchronises what it takes to its disk before it answers; here a thousand would share one. */
const MEMORY_DISK = "/dev/shm";
/** Connecting agents in groups spares the broker a stampede. */
const START_GROUP = 50;
const SCORE_S = 5;
/** Ticks before the first and after the last swap, to see that none is missed around them. */
const REST_MS = 2.2 * SCORE_S * 1000;
const START_DEADLINE_MS = 300_000;
const SWAP_DEADLINE_MS = 120_000;

/** Alarms on a tenth of what the model before alarms on a twentieth of; see rollout-site.ts. */
const DOUBLED = 1.091;

interface Swap {
  model_id: string;
  seconds: number;
  /** Computing time of all the agents together meanwhile: what does not depend on who else uses the machine. */
  agents_cpu_s: number;
  accepted: number;
  refused: number;
}

/**
 * From the order to promote a model, without gates, to the last rack's acknowledgement; every rack a real agent with its
 * own MQTT connection, the aggregator a process of its own. Then what a gated rollout tells of itself, in fast time.
 *
 * @param options.agents default 1,000
 */
export async function benchRollout(options: BenchOptions = {}): Promise<void> {
  const count = options.agents ?? AGENTS;
  const folder = mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), "skadi-bench-"));
  const rows = rowNames(Math.ceil(count / PER_ROW));
  const racks = racksOf(rows, PER_ROW).slice(0, count);
  const site = await startAggregator(folder, rows);
  const fleet = racks.map((rack_id) => benchAgent(rack_id, folder, site));
  const say = (line: string) => options.json || console.log(line);
  try {
    const connect_ms = performance.now();
    for (let i = 0; i < fleet.length; i += START_GROUP)
      await Promise.all(fleet.slice(i, i + START_GROUP).map(({ agent }) => agent.start()));
    const [first] = ((await site.request("GET", "/rollouts")) as { rollouts: RolloutView[] }).rollouts;
    await accepted(site, first!.id, count, START_DEADLINE_MS);
    const connect_s = (performance.now() - connect_ms) / 1000;
    say(`rollout: ${count} agents connected and on their first model after ${connect_s.toFixed(1)} s`);
    await rest();
    const swaps: Swap[] = [];
    for (let i = 0; i < SWAPS; i++) swaps.push(await swap(site, i, count));
    await rest();
    const ticks = fleet.map((one) => one.ticks());
    const missed_ticks = ticks.reduce((sum, of) => sum + missedTicks(of, SCORE_S), 0);
    const guard_ticks = ticks.reduce((sum, of) => sum + of.length, 0);
    const model_swaps = fleet.reduce((sum, { agent }) => sum + agent.stats().model_swaps, 0);
    if (!options.json) printSwaps(swaps);
    say(`rollout: ${guard_ticks} guard ticks, ${missed_ticks} missed, over ${model_swaps} swaps`);
    const gated = [gatedStory("a model that alarms as often", 1), gatedStory("twice as often", DOUBLED)];
    for (const { what, story } of gated) say(`\nrollout, gated, ${what}:\n${story.join("\n")}`);
    const seconds = swaps.map((one) => one.seconds).sort((a, b) => a - b);
    console.log(
      JSON.stringify({
        ...{ bench: "rollout", agents: count, connect_s: round(connect_s) },
        push_to_acknowledged_s: { best: seconds[0], median: seconds[SWAPS >> 1], worst: seconds.at(-1) },
        agents_cpu_s: Math.max(...swaps.map(({ agents_cpu_s }) => agents_cpu_s)),
        refused: swaps.reduce((sum, { refused }) => sum + refused, 0),
        ...{ guard_ticks, missed_ticks, model_swaps },
        gated: gated.map(({ what, state, minutes }) => ({ what, state, minutes })),
      }),
    );
  } finally {
    for (let i = 0; i < fleet.length; i += START_GROUP)
      await Promise.all(fleet.slice(i, i + START_GROUP).map(({ agent }) => agent.stop()));
    await site.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface BenchSite {
  mqtt_url: string;
  public_key_file: string;
  request(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

const ROOT = new URL("../..", import.meta.url).pathname;

async function startAggregator(folder: string, rows: readonly string[]): Promise<BenchSite> {
  const data_dir = join(folder, "data");
  const [http_port, mqtt_port] = [await freeTcpPort(), await freeTcpPort()];
  const first = noisyModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1), id: "first" });
  writeModelFile(join(data_dir, "models", "first.json"), first);
  const config_file = join(folder, "aggregator.yaml");
  const listen = { broker: { port: mqtt_port }, http: { port: http_port, requests_per_minute: 1_000_000 } };
  const log = { level: "warn" };
  writeFileSync(config_file, JSON.stringify({ data_dir, rows, racks_per_row: PER_ROW, ...listen, log }));
  const child = spawn(process.execPath, ["aggregator/start.mjs", "run", "--config", config_file], {
    ...{ cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] },
  });
  const url = `http://127.0.0.1:${http_port}`;
  await eventually("the aggregator", async () => (await fetch(`${url}/health`)).ok, 60_000);
  const token = readFileSync(join(data_dir, "api-token"), "utf8").trim();
  const site: BenchSite = {
    mqtt_url: `mqtt://127.0.0.1:${mqtt_port}`,
    public_key_file: join(data_dir, "keys", "site.pem.pub"),
    async request(method, path, body) {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(url + path, { method, headers, ...init });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    stop: () => ended(child),
  };
  for (let i = 0; i < SWAPS; i++)
    await site.request("POST", "/models", alarmingModel(first, 0.05 - i / 1_000, nameOf(i)));
  return site;
}

const nameOf = (i: number) => `swap-${i + 1}`;

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

function benchAgent(rack_id: string, folder: string, site: BenchSite) {
  const clock = systemClock();
  const config = AgentConfig.parse({
    rack_id,
    mqtt: { url: site.mqtt_url },
    loop: { sample_s: SCORE_S, score_s: SCORE_S },
    model: { cache_dir: join(folder, "agents", rack_id) },
    uplink: { store: "memory" },
  });
  const { log, ticks } = tickLog();
  const sensors = noisySensors(clock, rack_id, SCORE_S);
  const public_key = readPublicKey(site.public_key_file);
  const agent: Agent = createAgent({ config, clock, log, sensors, actuators: NO_ACTUATORS, public_key });
  return { agent, ticks };
}

async function swap(site: BenchSite, i: number, count: number): Promise<Swap> {
  const started_ms = performance.now();
  const cpu = process.cpuUsage();
  const order = { gated: false, reason: "measured" };
  const { id, model_id } = (await site.request("POST", `/models/${nameOf(i)}/promote`, order)) as RolloutView;
  const { racks } = await accepted(site, id, count, SWAP_DEADLINE_MS);
  const seconds = round((performance.now() - started_ms) / 1000);
  const { user, system } = process.cpuUsage(cpu);
  const agents_cpu_s = round((user + system) / 1e6);
  return { model_id, seconds, agents_cpu_s, accepted: racks.accepted.length, refused: racks.refused.length };
}

const accepted = (site: BenchSite, id: string, count: number, deadline_ms: number) =>
  eventually(
    `${count} racks to accept`,
    async () => {
      const view = (await site.request("GET", `/rollouts/${id}`)) as RolloutView;
      return view.racks.accepted.length + view.racks.refused.length === count ? view : null;
    },
    deadline_ms,
  );

function printSwaps(swaps: readonly Swap[]): void {
  const table = new Table({
    head: ["model", "promote → last acknowledgement", "agents' CPU time", "accepted", "refused"],
    style: { head: [], border: [] },
  });
  for (const { model_id, seconds, agents_cpu_s, accepted: took, refused } of swaps)
    table.push([model_id, `${seconds.toFixed(2)} s`, `${agents_cpu_s.toFixed(2)} s`, took, refused]);
  console.log(table.toString());
}

/** @param ratio what the new model makes of D / tau_fast, relative to the old one */
function gatedStory(what: string, ratio: number) {
  const racks = racksOf(rowNames(6), 12);
  const { story, state, started_ms, ended_ms } = rollOut(noisySite({ seed: 1, ratio }), racks);
  const lines = story.map(({ ts_ms, text }) => `  ${new Date(ts_ms).toISOString().slice(11, 19)} ${text}`);
  return {
    what,
    state,
    minutes: ended_ms === null ? null : round((ended_ms - started_ms) / 60_000),
    story: lines,
  };
}

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));
const round = (value: number) => Math.round(value * 100) / 100;
