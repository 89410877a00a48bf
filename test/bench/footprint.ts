import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { packageAgent } from "../../agent/packaging/package-agent.ts";
import { ROOT } from "../../agent/packaging/paths.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { packageVersion } from "../../shared/version.ts";
import { DEVICE_LOGINS, type RackDevices, serveRackDevices } from "../../sim/devices/serve.ts";
import { createPlant } from "../../sim/plant/plant.ts";
import { testBroker } from "../support/broker.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { smallModel } from "../support/models.ts";
import type { BenchOptions } from "./options.ts";

const RACK = "R-C-07";
/** Copies of the four kinds of devices: twelve in all, each read every second. */
const COPIES = 3;
const MINUTES = 2;
const LOOK_MS = 1_000;
const CLOCK_TICKS_PS = 100;

interface Footprint {
  program: string;
  rss_mb: { first: number; last: number; max: number };
  /** Of these: what is its own, and what is mapped from files, such as the program itself. */
  own_mb: number;
  mapped_mb: number;
  cpu_pct: number;
}

/**
 * Memory and processor time of the packaged agent beside those of Debian's collectd and netdata, at the same time on the
 * same machine. Peers are installed where this is root on Debian, else left out.
 */
export async function benchFootprint({ minutes = MINUTES, json = false }: BenchOptions = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "skadi-footprint-"));
  const started: ChildProcess[] = [];
  const broker = await testBroker();
  const clock = systemClock();
  const plant = createPlant({ rack_ids: [RACK], seed: 7, start_ms: clock.now() });
  const devices = await serveRackDevices({ plant, rack_id: RACK, clock, log: createLog("bench", "silent") });
  try {
    await packageAgent({ folder, cache: join(ROOT, "dist/.cache"), arches: ["x64"], debian: [] });
    const binary = join(folder, `skadi-agent-${packageVersion()}-linux-x64`);
    leaveCache(binary);
    writeModelFile(join(folder, "model.json"), smallModel());
    const config = join(folder, "agent.yaml");
    writeFileSync(config, JSON.stringify(agentSettings(devices, broker.url, folder)));
    const observer = await mqtt.connectAsync(broker.url);
    await observer.subscribeAsync(`skadi/v1/+/${RACK}/score`);
    const begun = performance.now();
    const first_score = new Promise<number>((done) =>
      observer.once("message", () => done((performance.now() - begun) / 1000)),
    );
    const watched = [{ program: "skadi-agent", child: start(binary, ["run", "--config", config]) }];
    const first_score_s = await first_score;
    await observer.endAsync();
    for (const peer of peers(folder)) watched.push({ ...peer, child: start(peer.program, peer.args) });
    const footprints = await watch(watched, minutes);
    const result = {
      bench: "footprint",
      minutes,
      devices: 4 * COPIES,
      binary_mb: Math.round(statSync(binary).size / 1e6),
      first_score_s: Number(first_score_s.toFixed(2)),
      footprints,
    };
    if (json) console.log(JSON.stringify(result));
    else print(result);
  } finally {
    for (const child of started) child.kill("SIGKILL");
    await devices.close();
    await broker.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  function start(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { stdio: "ignore" });
    started.push(child);
    return child;
  }
}

/**
 * As after a start of the machine: of a file that was just written the kernel keeps, and maps, larger pieces than of
 * one that it reads from the disk when needed.
 */
function leaveCache(file: string): void {
  execFileSync("sync", [file]);
  execFileSync("dd", [`if=${file}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
}

/** Debian's, each in the foreground and as it is shipped, but every second; nothing is written outside the folder. */
function peers(folder: string): { program: string; args: string[] }[] {
  const missing = ["collectd", "netdata"].filter((name) => !hasProgram(name));
  if (missing.length > 0 && process.getuid?.() === 0) {
    const packages = missing.map((name) => (name === "collectd" ? "collectd-core" : "netdata-core"));
    const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
    execFileSync("apt-get", args, {
      stdio: "ignore",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  const state = join(folder, "peers");
  mkdirSync(state);
  const plugins = ["cpu", "memory", "load", "interface", "disk", "df", "processes"];
  const collectd = join(state, "collectd.conf");
  const lines = [`BaseDir "${state}"`, "Interval 1", ...plugins.map((name) => `LoadPlugin ${name}`)];
  writeFileSync(collectd, `${lines.join("\n")}\n`);
  const netdata = ["-D", "-W", "set", "global", "run as user", "root", "-p", "0"];
  return [
    { program: "collectd", args: ["-f", "-C", collectd, "-P", join(state, "collectd.pid")] },
    { program: "netdata", args: netdata },
  ].filter(({ program }) => hasProgram(program));
}

async function watch(
  watched: readonly { program: string; child: ChildProcess }[],
  minutes: number,
): Promise<Footprint[]> {
  const looks = watched.map(() => [] as { rss: number; anon: number; file: number }[]);
  const cpu = watched.map(({ child }) => cpuSeconds(child.pid!));
  const begun = performance.now();
  while (performance.now() - begun < minutes * 60_000) {
    await new Promise((done) => setTimeout(done, LOOK_MS));
    for (const [i, { child }] of watched.entries())
      if (child.exitCode === null) looks[i]!.push(memory(child.pid!));
  }
  const seconds = (performance.now() - begun) / 1000;
  return watched.flatMap(({ program, child }, i) => {
    const seen = looks[i]!;
    const last = seen.at(-1);
    // A peer that would not run here has no figures.
    if (!last || child.exitCode !== null) return [];
    const used_s = cpuSeconds(child.pid!) - cpu[i]!;
    return [
      {
        program,
        rss_mb: { first: seen[0]!.rss, last: last.rss, max: Math.max(...seen.map(({ rss }) => rss)) },
        own_mb: last.anon,
        mapped_mb: last.file,
        cpu_pct: Number(((100 * used_s) / seconds).toFixed(2)),
      },
    ];
  });
}

/** proc(5): VmRSS is RssAnon and RssFile together, here in MB. */
function memory(pid: number): { rss: number; anon: number; file: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024);
  return { rss: mb("VmRSS"), anon: mb("RssAnon"), file: mb("RssFile") };
}

/** proc(5): user and system time of the process, and of children that it has waited for. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / CLOCK_TICKS_PS;
}

function agentSettings({ snmp, modbus, redfish, prometheus }: RackDevices, url: string, folder: string) {
  const local = { host: "127.0.0.1" };
  const auth = { username: DEVICE_LOGINS.redfish_user, password: DEVICE_LOGINS.redfish_password };
  const fields = ["inlet_c", "outlet_c", "fan_rpm_pct"];
  const metric = "vllm:e2e_request_latency_seconds";
  const four = (n: number) => [
    {
      name: `pdu-${n}`,
      driver: "snmp",
      ...local,
      port: snmp.port,
      community: "public",
      profile: "apc_rpdu2",
    },
    {
      ...{ name: `cdu-${n}`, driver: "modbus", ...local, port: modbus.port, unit_id: modbus.unit_id },
      points: [{ field: "pump_rpm_pct", table: "input", address: 0, scale: 0.1 }],
      poll_s: 1,
    },
    {
      ...{ name: `bmc-${n}`, driver: "redfish", url: redfish.url, auth, poll_s: 1 },
      profiles: [{ profile: "chassis", uri: "/redfish/v1/Chassis/1", fields }],
    },
    {
      ...{ name: `inference-${n}`, driver: "prometheus", urls: [`${prometheus.url}/metrics`], poll_s: 1 },
      profiles: ["dcgm_power"],
      points: [
        { field: "tokens_ps", metric: "vllm:generation_tokens_total", unit: "total" },
        { field: "latency_p95_ms", metric, unit: "second", quantile: 0.95, window_s: 30 },
      ],
    },
  ];
  return {
    rack_id: RACK,
    mqtt: { url },
    loop: { sample_s: 1, score_s: 1 },
    model: { file: join(folder, "model.json"), cache_dir: join(folder, "state") },
    sensors: { devices: Array.from({ length: COPIES }, (_, n) => four(n + 1)).flat() },
  };
}

function print(result: {
  minutes: number;
  devices: number;
  binary_mb: number;
  first_score_s: number;
  footprints: Footprint[];
}): void {
  console.log(
    `footprint: the packaged agent (${result.binary_mb} MB) with ${result.devices} devices read each second, over ${result.minutes} min; first score on the broker ${result.first_score_s} s after its start`,
  );
  console.log("| program | RSS first, last, max (MB) | its own | mapped from files | CPU of one core |");
  console.log("|---|---:|---:|---:|---:|");
  for (const { program, rss_mb, own_mb, mapped_mb, cpu_pct } of result.footprints) {
    const rss = `${rss_mb.first}, ${rss_mb.last}, ${rss_mb.max}`;
    console.log(`| ${program} | ${rss} | ${own_mb} | ${mapped_mb} | ${cpu_pct} % |`);
  }
}
