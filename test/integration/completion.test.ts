import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { hasProgram } from "../support/debian-packages.ts";
import { runProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { openTerminal } from "../support/terminal.ts";

vi.setConfig({ testTimeout: 60_000 });

type ProgramFile = Parameters<typeof runProgram>[0];

const printed = new Map<string, ReturnType<typeof runProgram>>();

/** A file with what the program prints for the shell. */
async function script(program: ProgramFile, shell: string, file_name?: string): Promise<string> {
  const name = `skadi-${program}.${shell}`;
  const run = printed.get(name) ?? runProgram(program, ["completion", shell]);
  printed.set(name, run);
  const { code, stdout } = await run;
  expect(code).toBe(0);
  const file = join(temporaryFolder(), file_name ?? name);
  writeFileSync(file, stdout);
  return file;
}

/** What bash offers at the end of the line; it splits words as readline does. */
async function offered(program: ProgramFile, line: string): Promise<string[]> {
  const file = await script(program, "bash");
  const words = line.split(/\s|(=)/).filter((word) => word !== undefined);
  const harness = `
    source ${file}
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    compopt() { :; }
    $(complete -p skadi-${program} | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--noprofile", "--norc", "-c", harness], { encoding: "utf8" });
  return out.split("\n").filter((word) => word !== "");
}

describe("completion in bash", () => {
  it.each([
    ["agent", "skadi-agent che", ["check"]],
    ["agent", "skadi-agent check --", ["--config", "--json", "--help"]],
    ["aggregator", "skadi-aggregator inc", ["incidents"]],
    ["aggregator", "skadi-aggregator drift --a", ["--all"]],
    ["aggregator", "skadi-aggregator incidents a", ["ack", "annotate"]],
    ["aggregator", "skadi-aggregator incidents list --severity ", ["info", "warning", "critical"]],
    ["aggregator", "skadi-aggregator incidents list --severity=crit", ["critical"]],
    ["aggregator", "skadi-aggregator mode set ", ["advisory", "closed_loop"]],
    ["aggregator", "skadi-aggregator top --sort in", ["inlet"]],
    // A value that is also the name of a command is taken for a value.
    ["aggregator", "skadi-aggregator logs --rack top --fol", ["--follow"]],
    ["sim", "skadi-sim scenario st", ["start", "stop"]],
    ["sim", "skadi-sim generate --source p", ["plant"]],
  ] as const)("%s: %s", async (program, line, expected) => {
    expect(await offered(program, line)).toEqual(expected);
  });

  it("offers files where an option takes one", async () => {
    expect(await offered("aggregator", "skadi-aggregator run --config config/agg")).toEqual([
      "config/aggregator.yaml",
    ]);
  });

  it.runIf(hasProgram("tmux"))("completes what a person types", async () => {
    const terminal = openTerminal();
    terminal.type(`source ${await script("aggregator", "bash")}; clear; echo ready\n`);
    await terminal.sees(/^ready\n\$/m);
    terminal.type("skadi-aggregator inci\tli\t--sev\tcrit\t");
    await terminal.sees(/\$ skadi-aggregator incidents list --severity critical/);
  });
});

describe.runIf(hasProgram("zsh") && hasProgram("tmux"))("completion in zsh", () => {
  it("completes what a person types, with descriptions", async () => {
    const terminal = openTerminal({ shell: ["zsh", "-f", "-i"], env: { PROMPT: "$ " } });
    terminal.type(
      `autoload -U compinit; compinit -u; source ${await script("aggregator", "zsh")}; clear; echo ready\n`,
    );
    await terminal.sees(/^ready\n\$/m);
    terminal.type("skadi-aggregator inci\tli\t--sev\tcrit\t");
    await terminal.sees(/\$ skadi-aggregator incidents list --severity critical/);
    terminal.press("C-c");
    await terminal.sees(/\^C|\n\$ *\n/);
    terminal.type("skadi-aggregator incidents a\t\t");
    await terminal.sees(/annotate\s+-- add a line to its timeline/);
  });
});

describe.runIf(hasProgram("zsh") && hasProgram("tmux"))("completion in zsh, from a folder of fpath", () => {
  it("works at the first tab", async () => {
    const folder = dirname(await script("agent", "zsh", "_skadi-agent"));
    const terminal = openTerminal({ shell: ["zsh", "-f", "-i"], env: { PROMPT: "$ " } });
    terminal.type(`fpath=(${folder} $fpath); autoload -U compinit; compinit -u; clear; echo ready\n`);
    await terminal.sees(/^ready\n\$/m);
    terminal.type("skadi-agent fail\t--time\t");
    await terminal.sees(/\$ skadi-agent fail-safe --timeout-s/);
  });
});

describe.runIf(hasProgram("fish"))("completion in fish", () => {
  it("offers commands, options and their values, with descriptions", async () => {
    const file = await script("aggregator", "fish");
    const complete = (line: string) =>
      execFileSync("fish", ["--no-config", "-c", `source ${file}; complete -C ${JSON.stringify(line)}`], {
        encoding: "utf8",
      });
    expect(complete("skadi-aggregator inc")).toMatch(/^incidents\twhat is wrong on the site/);
    expect(complete("skadi-aggregator incidents a")).toMatch(/^ack\t.*\nannotate\tadd a line/);
    expect(complete("skadi-aggregator incidents list --severity ")).toMatch(
      /^critical\t.*\ninfo\t.*\nwarning\t/,
    );
    expect(complete("skadi-aggregator mode set --row run --ye")).toMatch(/^--yes/);
  });
});
