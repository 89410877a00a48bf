import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAIL_SAFE_TIMEOUT_S } from "../../../agent/actuators/fail-safe.ts";
import { program } from "../../../agent/main.ts";
import { baseNode } from "../../../agent/packaging/base-node.ts";
import { manPage } from "../../../agent/packaging/man-page.ts";
import { ROOT } from "../../../agent/packaging/paths.ts";
import { withoutSymbols } from "../../../agent/packaging/strip.ts";
import { systemdUnits } from "../../../agent/packaging/units.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("an executable without its symbols", () => {
  it.runIf(process.platform === "linux" && process.arch === "x64")("is smaller and runs all the same", () => {
    const executable = readFileSync(baseNode("x64", temporaryFolder()).executable);
    const file = join(temporaryFolder(), "node");
    const stripped = withoutSymbols(executable);
    writeFileSync(file, stripped, { mode: 0o755 });
    expect(stripped.length).toBeLessThan(executable.length);
    expect(execFileSync(file, ["-p", "6 * 7"], { encoding: "utf8" })).toBe("42\n");
  });

  it("is made of 64-bit ELF alone", () => {
    const narrow = Buffer.from("\x7fELF\x01\x01".padEnd(64), "latin1");
    for (const file of [narrow, Buffer.from("MZ".padEnd(64))])
      expect(() => withoutSymbols(file)).toThrow("expected a 64-bit little-endian ELF executable");
  });
});

describe("the man page", () => {
  const page = manPage(program, new Date("2026-01-31T12:00:00Z"));
  // What a reader sees of the roff source.
  const text = page.replaceAll("\\-", "-");

  it("has every command, with all its options", () => {
    expect(program.commands.length).toBeGreaterThan(0);
    for (const command of program.commands) {
      const section = text.split(new RegExp(`\\n\\.SS ${command.name()}(?: .*)?\\n`))[1]?.split("\n.S")[0];
      expect(section, command.name()).toContain(command.description());
      for (const option of command.options) expect(section).toContain(`.B ${option.flags}\n`);
    }
  });

  it("names the version and the date of the release, and no time of the build", () => {
    expect(page).toMatch(new RegExp(`^\\.TH SKADI-AGENT 1 2026-01-31 "Skadi ${program.version()}"`));
  });

  it("lets no text be taken for a roff request", () => {
    const requests = page.split("\n").filter((line) => /^[.']/.test(line));
    for (const line of requests) expect(line).toMatch(/^\.(TH|SH|SS|TP|B|I)\b/);
  });
});

/** What is under way, the fail-safe, the last messages: an agent that is killed in the midst of it is none that stopped. */
const STOP_S = 2 * FAIL_SAFE_TIMEOUT_S;

describe("the systemd units", () => {
  const units = Object.fromEntries(systemdUnits().map(({ name, content }) => [name, content]));

  it("run one rack from agent.yaml, and one per instance from its own file, with separate state", () => {
    expect(units["skadi-agent.service"]).toContain("run --config /etc/skadi/agent.yaml\n");
    expect(units["skadi-agent.service"]).toContain("\nStateDirectory=skadi-agent\n");
    expect(units["skadi-agent@.service"]).toContain("run --config /etc/skadi/%i.yaml\n");
    expect(units["skadi-agent@.service"]).toContain("\nStateDirectory=skadi-agent-%i\n");
  });

  it("leave the rack on its fail-safe values however the agent ended, with the same configuration", () => {
    for (const content of Object.values(units)) {
      const [, config] = /^ExecStart=.* --config (\S+)$/m.exec(content) ?? [];
      expect(content).toContain(`\nExecStopPost=/usr/bin/skadi-agent fail-safe --config ${config}\n`);
      expect(content).toMatch(/^Restart=always$/m);
      expect(content).toMatch(/^WatchdogSec=30$/m);
      const [, stop_s] = /^TimeoutStopSec=(\d+)$/m.exec(content) ?? [];
      expect(Number(stop_s)).toBeGreaterThan(STOP_S);
    }
  });
});

describe("Node's executable for another architecture", () => {
  it("is refused, and not kept, if it is not what the lock file says", () => {
    const foreign = process.arch === "arm64" ? "x64" : "arm64";
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const { version, integrity } = lock.packages[`node_modules/node-linux-${foreign}`];
    const cache = temporaryFolder();
    const tarball = join(cache, `node-linux-${foreign}-${version}.tgz`);
    writeFileSync(tarball, "not what npm has");
    expect(() => baseNode(foreign, cache)).toThrow(`expected ${integrity}`);
    expect(existsSync(tarball)).toBe(false);
  });
});
