import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { validate } from "dockerfile-utils";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { FAIL_SAFE_TIMEOUT_S } from "../../agent/actuators/fail-safe.ts";
import { loadConfig } from "../../shared/config-file.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { AggregatorConfig } from "../../shared/contracts/config.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { testSite } from "./aggregator-harness.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const read = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");
const containerfile = read("Containerfile");

interface Stage {
  name: string;
  from: string;
  lines: string[];
}

/** The stages of the file, each with its instructions; continued lines are joined. */
const stages: Stage[] = containerfile
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .reduce<Stage[]>((found, line) => {
    const [, from = "", name = ""] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (line.startsWith("FROM ")) found.push({ name, from, lines: [] });
    else found.at(-1)!.lines.push(line);
    return found;
  }, []);
const stage = (name: string) => stages.find((one) => one.name === name)!;
/** With what a stage is built on. */
const instructions = (name: string): string[] => {
  const { from, lines } = stage(name);
  return stages.some((one) => one.name === from) ? [...instructions(from), ...lines] : lines;
};
const environment = (name: string) =>
  Object.fromEntries(
    instructions(name)
      .filter((line) => line.startsWith("ENV "))
      .flatMap((line) => line.slice(4).trim().split(/\s+/))
      .map((assignment) => assignment.split("=") as [string, string]),
  );

describe("the Containerfile", () => {
  it("has a linter's approval", () => {
    expect(validate(containerfile)).toEqual([]);
  });

  it.each(["agent", "simulator", "aggregator"])("%s is no root's, and writes in its volume only", (name) => {
    const all = instructions(name);
    expect(all.filter((line) => line.startsWith("USER "))).toEqual(["USER node"]);
    expect(all).toContain("VOLUME /var/lib/skadi");
    // Nothing is run as another user after the change.
    expect(stage(name).lines.some((line) => line.startsWith("RUN "))).toBe(false);
  });

  it("names what is there", () => {
    for (const { from, lines } of stages) {
      expect(from).toMatch(/^[a-z]+$|^docker\.io\/\S+:\d+\S*$/);
      for (const line of lines) {
        const copy = /^COPY (?:--from=(\S+) \/app\/)?(\S+)/.exec(line);
        if (copy?.[1] !== undefined) expect(stages.some(({ name }) => name === copy[1])).toBe(true);
        if (copy && copy[2] !== "node_modules") expect(existsSync(`${ROOT}${copy[2]}`), line).toBe(true);
        const [, program] = /^ENTRYPOINT \["node", "(\S+)"\]$/.exec(line) ?? [];
        if (program) expect(existsSync(`${ROOT}${program}`), line).toBe(true);
      }
    }
  });

  it("sets what is a setting", () => {
    const aggregator = loadConfig(AggregatorConfig, { env: environment("aggregator") });
    expect(aggregator).toMatchObject({
      data_dir: "/var/lib/skadi",
      http: { host: "0.0.0.0", port: 8000 },
      broker: { host: "0.0.0.0", port: 1883 },
    });
    const overrides = { rack_id: "R-A-01" };
    const file = "config/agent.yaml";
    const agent = loadConfig(AgentConfig, { file, env: environment("agent"), overrides });
    expect(agent).toMatchObject({ model: { cache_dir: "/var/lib/skadi" }, metrics: { port: 9464 } });
  });

  it("has a health check that tells a living aggregator from a dead one", async () => {
    const line = stage("aggregator").lines.find((one) => one.startsWith("HEALTHCHECK "))!;
    const [program, ...args] = JSON.parse(/CMD (\[.*\])$/.exec(line)![1]!) as string[];
    expect(program).toBe("node");
    const site = await testSite();
    onTestFinished(() => site.close());
    const check = async (port: string) => {
      const { promise, resolve } = Promise.withResolvers<number | null>();
      const script = args.map((arg) => arg.replace("8000", port));
      spawn(process.execPath, script, { stdio: "ignore" }).once("close", resolve);
      return promise;
    };
    expect(await check(new URL(site.aggregator.http_url).port)).toBe(0);
    expect(await check("1")).toBe(1);
  });
});

describe("docker-compose.yml", () => {
  interface Service {
    image?: string;
    build?: { target: string };
    ports?: string[];
    volumes?: string[];
    read_only: boolean;
    cap_drop: string[];
    /** As `60s`. */
    stop_grace_period?: string;
    privileged?: boolean;
  }
  const { services } = parse(read("docker-compose.yml"), { merge: true }) as {
    services: Record<string, Service>;
  };

  it.runIf(hasProgram("docker-compose"))("is one to docker-compose", () => {
    const profiles = { ...process.env, COMPOSE_PROFILES: "demo,monitoring" };
    const { status, stderr } = spawnSync("docker-compose", ["config", "--quiet"], {
      cwd: ROOT,
      env: profiles,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const found = execFileSync("docker-compose", ["config", "--services"], { cwd: ROOT, env: profiles });
    expect(found.toString().trim().split("\n").sort()).toEqual(Object.keys(services).sort());
  });

  it("opens ports to this machine alone, and gives no container more than it needs", () => {
    for (const [name, { ports = [], read_only, cap_drop, privileged }] of Object.entries(services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      expect({ read_only, cap_drop, privileged }, name).toEqual({ read_only: true, cap_drop: ["ALL"] });
    }
  });

  it("waits for agents to leave their racks on fail-safe values", () => {
    for (const [name, { build, stop_grace_period = "10s" }] of Object.entries(services)) {
      if (build?.target !== "agent" && build?.target !== "simulator") continue;
      expect(Number.parseInt(stop_grace_period, 10), name).toBeGreaterThan(2 * FAIL_SAFE_TIMEOUT_S);
    }
    const [run] = /^docker run .* skadi-agent$/m.exec(read("docs/integrations.md")) ?? [];
    expect(Number(/ --stop-timeout (\d+) /.exec(run ?? "")?.[1])).toBeGreaterThan(2 * FAIL_SAFE_TIMEOUT_S);
  });

  it("builds stages and mounts files that are there, and pins what it pulls", () => {
    for (const { build, image, volumes = [] } of Object.values(services)) {
      if (build) expect(stages.map(({ name }) => name)).toContain(build.target);
      else expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
      for (const volume of volumes) {
        const [from = ""] = volume.split(":");
        if (from.startsWith("./")) expect(existsSync(`${ROOT}${from}`), volume).toBe(true);
      }
    }
  });

  it.runIf(hasProgram("promtool"))("has a configuration of Prometheus that promtool approves of", () => {
    const file = "integrations/containers/prometheus.yml";
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "config", file], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
    const scraped = parse(read(file)) as { scrape_configs: { static_configs: { targets: string[] }[] }[] };
    const [host] = scraped.scrape_configs[0]!.static_configs[0]!.targets[0]!.split(":");
    expect(Object.keys(services)).toContain(host);
  });
});
