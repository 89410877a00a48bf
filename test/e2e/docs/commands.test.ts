import { execFile, spawn } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ShellBlock, shellBlocks } from "../../support/docs/blocks.ts";
import { checkout } from "../../support/docs/checkout.ts";
import { lastMark, pageScript } from "../../support/docs/script.ts";
import { skadiCalls } from "../../support/docs/skadi-commands.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const PAGES = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT }).sort()];
const BLOCKS = PAGES.flatMap((page) => shellBlocks(page, readFileSync(join(ROOT, page), "utf8")));
const RUN = Object.groupBy(
  BLOCKS.filter(({ run }) => run.how === "to_the_end" || run.how === "beside"),
  ({ page }) => page,
);

/** A page that is not through by then hangs; the test says in which block. */
const PAGE_MS = 300_000;

/** A network and a process table of its own: pages use the ports that users have, and leave programs running. */
const APART = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
const can_be_apart = process.platform === "linux" && process.getuid?.() === 0;
if (!can_be_apart)
  process.stdout.write("\n*** NOT ROOT ON LINUX: the commands in the docs are NOT RUN ***\n\n");

function runApart(
  script: string,
  cwd: string,
  path: string,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn("unshare", [...APART, "bash", "-c", `ip link set lo up\n${script}`], {
    cwd,
    env: { ...process.env, PATH: path, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const deadline = setTimeout(() => child.kill("SIGKILL"), PAGE_MS);
  onTestFinished(() => {
    clearTimeout(deadline);
    child.kill("SIGKILL");
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((done) => child.once("close", (code) => done({ code, stderr })));
}

describe.skipIf(!can_be_apart)("the commands of a page, one after the other in a fresh checkout", () => {
  it.each(Object.entries(RUN))(
    "%s",
    async (_page, blocks) => {
      const { folder, path } = checkout();
      const { code, stderr } = await runApart(pageScript(blocks!, temporaryFolder()), folder, path);
      expect(code, `${lastMark(stderr)}\n${stderr.slice(-3000)}`).toBe(0);
      expect(lastMark(stderr)).toBe("@@ done");
    },
    PAGE_MS + 30_000,
  );
});

describe("a block that is not run here", () => {
  const left_out = BLOCKS.filter(({ run }) => run.how === "not" || run.how === "elsewhere");

  it.each(left_out.map((block) => [`${block.page}:${block.line}`, block.run] as const))(
    "%s says why, or which test runs it",
    (_where, run) => {
      if (run.how === "elsewhere") expect(existsSync(join(ROOT, run.test)), run.test).toBe(true);
      else expect(run.how === "not" && run.reason.length).toBeGreaterThan(5);
    },
  );
});

describe("every call of a Skadi program in the docs", () => {
  const run = promisify(execFile);
  const helps = new Map<string, Promise<string>>();
  const helpOf = (program: string, words: string[]) => {
    const key = [program, ...words].join(" ");
    const main = join(ROOT, program.replace("skadi-", ""), "start.mjs");
    const asked = helps.get(key) ?? run(process.execPath, [main, ...words, "--help"]).then((r) => r.stdout);
    helps.set(key, asked);
    return asked;
  };
  const where = ({ page, line }: ShellBlock) => `${page}:${line}`;

  it.each(
    BLOCKS.filter(({ commands }) => skadiCalls(commands).length > 0).map((b) => [where(b), b] as const),
  )(
    "%s uses options that exist",
    async (_where, { commands }) => {
      for (const { program, words, options } of skadiCalls(commands)) {
        const help = await helpOf(program, words);
        for (const option of options) expect(help, `${program} ${words.join(" ")}`).toContain(option);
      }
    },
    60_000,
  );
});
