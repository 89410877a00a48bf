import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { datagramSocket } from "../support/datagrams.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { type Program, runProgram, startProgram } from "../support/program.ts";
import { NOMINAL_READING } from "../support/readings.ts";
import { temporaryFolder } from "../support/temporary.ts";

/**
 * One rack whose sensors and devices are real commands over files, looked after by agents in processes of their own,
 * as a service manager would start, kill and clean up after them. Everything is ten to fifty times as fast.
 */
function rack(options: { mode?: "advisory" | "closed_loop"; pump?: string; onGet?: string } = {}) {
  const folder = temporaryFolder();
  const path = (name: string) => join(folder, name);
  const read = (name: string) => readFileSync(path(name), "utf8").trim();
  const script = (name: string, body: string) => {
    writeFileSync(path(name), `#!/bin/sh\ncd ${folder}\n${body}\n`);
    chmodSync(path(name), 0o755);
    return path(name);
  };
  const senses = (values: Record<string, number | null>) =>
    writeFileSync(path("values"), JSON.stringify(values));
  senses(NOMINAL_READING);
  writeFileSync(path("fan_rpm_pct"), "auto");
  writeFileSync(path("pump_rpm_pct"), options.pump ?? "auto");
  const config = {
    rack_id: "R-A-01",
    mode: options.mode ?? "closed_loop",
    mqtt: { url: "mqtt://127.0.0.1:9" },
    sensors: {
      devices: [
        {
          name: "rack",
          driver: "exec",
          command: [script("sense", "cat values")],
          poll_s: 0.1,
          stale_after_s: 0.5,
        },
      ],
    },
    loop: { sample_s: 0.1, score_s: 0.2 },
    guardrail: { action_spacing_s: 1, release_after_s: 2, kill_switch_file: path("kill-switch") },
    actuators: { pump_rpm_pct: { fail_safe: 80 } },
    drives: [
      {
        name: "devices",
        driver: "exec",
        command: [
          script("drive", `[ "$1" = set ] && echo "$3" > "$2" || { ${options.onGet ?? ":"}; cat "$2"; }`),
        ],
        targets: [{ target: "fan_rpm_pct" }, { target: "pump_rpm_pct" }],
      },
    ],
    model: { cache_dir: path("data") },
  };
  writeFileSync(path("agent.yaml"), JSON.stringify(config));
  const flags = ["--config", path("agent.yaml")];
  return {
    path,
    senses,
    pump: () => (read("pump_rpm_pct") === "auto" ? null : Number(read("pump_rpm_pct"))),
    run: (env: Record<string, string> = {}) => startProgram("agent", ["run", ...flags], env),
    failSafe: () => runProgram("agent", ["fail-safe", ...flags]),
    explain: (id: string, ...more: string[]) => runProgram("agent", ["explain", id, ...flags, ...more]),
    journal: path("data/R-A-01.journal.db"),
  };
}

const HOT = { ...NOMINAL_READING, inlet_c: 29 };

async function raised(test: ReturnType<typeof rack>): Promise<number> {
  test.senses(HOT);
  return eventually("the pump to be raised", () => test.pump());
}

async function killed(agent: Program): Promise<void> {
  agent.process.kill("SIGKILL");
  await agent.exit();
}

describe("an agent that ends leaves its rack at least as cool as before", () => {
  it("when it is killed, by the fail-safe command; and its next run hands back what was left", async () => {
    const test = rack();
    const agent = test.run();
    const before = await raised(test);
    await killed(agent);
    expect(test.pump()).toBeGreaterThanOrEqual(before);

    expect(await test.failSafe()).toMatchObject({ code: 0 });
    expect(test.pump()).toBeGreaterThanOrEqual(Math.max(before, 80));
    const again = await test.failSafe();
    expect(again).toMatchObject({ code: 0, stdout: "fail-safe\n" });

    test.senses(NOMINAL_READING);
    test.run();
    await eventually("the pump to be handed back", () => test.pump() === null, 20_000);
  }, 60_000);

  it("when it is stopped", async () => {
    const test = rack({ pump: "60" });
    const agent = test.run();
    await eventually("the agent", () => agent.stderr().includes("agent_started"));
    agent.process.kill("SIGTERM");
    expect(await agent.exit()).toBe(0);
    expect(test.pump()).toBe(80);
  }, 30_000);

  it("when its sensors fall silent: it cools as a precaution, and hands nothing back while it is blind", async () => {
    const test = rack();
    test.run();
    test.senses({});
    const before = await eventually("the pump to be raised", () => test.pump());
    await eventually("the pump at its limit", () => test.pump() === 90, 20_000);
    expect(before).toBeLessThanOrEqual(90);
  }, 60_000);
});

describe("the fail-safe command drives nothing", () => {
  it("where the agent was only advising", async () => {
    const test = rack({ mode: "advisory", pump: "60" });
    expect(await test.failSafe()).toMatchObject({ code: 0, stdout: "advisory: nothing was driven\n" });
    expect(test.pump()).toBe(60);
  });

  it("under a kill switch", async () => {
    const test = rack({ pump: "60" });
    writeFileSync(test.path("kill-switch"), "");
    expect(await test.failSafe()).toMatchObject({ code: 0, stdout: "kill switch: nothing is driven\n" });
    expect(test.pump()).toBe(60);
    rmSync(test.path("kill-switch"));
    expect((await test.failSafe()).stdout).toContain('{"pump_rpm_pct":80}');
  });

  it("once a kill switch has come while it was reading", async () => {
    const test = rack({ pump: "60", onGet: "touch kill-switch" });
    const { code, stdout } = await test.failSafe();
    expect(code).toBe(1);
    expect(stdout).toContain("fail-safe incomplete: pump_rpm_pct: Error: no longer in closed loop");
    expect(test.pump()).toBe(60);
  });

  it("that it cannot reach, and says so by its exit code, in time", async () => {
    const test = rack();
    writeFileSync(test.path("drive"), "#!/bin/sh\nexec sleep 60\n");
    const { code, stdout } = await runProgram("agent", [
      ...["fail-safe", "--json", "--timeout-s", "0.5"],
      ...["--config", test.path("agent.yaml")],
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "fail-safe incomplete", driven: {} });
  });
});

describe("explain", () => {
  it("tells what was seen, which rule fired and what became of it, and decides it again", async () => {
    const test = rack();
    const agent = test.run();
    await raised(test);
    const id = await eventually(
      "the action's id",
      () => /"id":"(R-A-01-\d+-\d+\.1)"/.exec(agent.stderr())?.[1],
    );
    agent.process.kill("SIGTERM");
    await agent.exit();

    const told = await test.explain(id);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toContain("hottest 29 °C; limit 28 °C");
    expect(told.stdout).toContain("rule  over_limit: inlet 29.0 °C is at or above its limit of 28 °C");
    expect(told.stdout).toMatch(
      /→ R-A-01-\S+\.1 {2}pre_cool pump_rpm_pct auto → 72, emergency: applied, now 72/,
    );
    expect(told.stdout).toContain("the same decision comes out again");
    const json = JSON.parse((await test.explain(id, "--json")).stdout);
    expect(json).toMatchObject({ severity: "over_limit", replay: { same: true }, sample: { inlet_c: 29 } });

    const db = new DatabaseSync(test.journal);
    db.exec(`UPDATE decisions SET record = replace(record, '"value":72', '"value":71')`);
    db.close();
    const changed = await test.explain(id);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain("DIFFERENT: this build decides over_limit: pre_cool pump_rpm_pct 72");
  }, 30_000);

  it("says where it looked when there is nothing to explain", async () => {
    const test = rack();
    expect(await test.explain("R-A-01-1-1")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("SKADI_NOT_FOUND"),
    });
  });
});

describe.skipIf(!hasProgram("systemd-notify") || !hasProgram("python3"))("under a service manager", () => {
  it("the running agent reports ready, pings from its guard loop, and says goodbye", async () => {
    const { path, heard } = await datagramSocket();
    const agent = rack().run({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000000" });
    await eventually("ready", () => heard().some((line) => line.startsWith("READY=1")));
    await eventually("pings", () => heard().filter((line) => line.startsWith("WATCHDOG=1")).length >= 3);
    agent.process.kill("SIGTERM");
    await agent.exit();
    expect(heard()).toContain("STOPPING=1");
  }, 30_000);
});
