/** A fenced block of shell commands in a page of the documentation. */
export interface ShellBlock {
  page: string;
  /** Of the first command, from 1 on. */
  line: number;
  commands: string;
  run: Run;
}

/** How a page says, in a comment above a block, that the block is not simply run to its end. */
type Run =
  | { how: "to_the_end" }
  /** Goes on beside what follows, once its output has shown a text. */
  | { how: "beside"; until: string }
  /** Cannot be run without what a test does not have; its reason is for the reader of the test. */
  | { how: "not"; reason: string }
  /** Another test runs it. */
  | { how: "elsewhere"; test: string };

/** Comments that stand for commands that the page does not spell out. */
const STAND_INS: Record<string, { commands: string; run: Run }> = {
  "given a running demo": {
    commands: "npm run demo -- --speed 10",
    run: { how: "beside", until: "online 72" },
  },
  "what runs beside is stopped": {
    commands: "kill -TERM -- $(jobs -p | sed 's/^/-/'); wait || true",
    run: { how: "to_the_end" },
  },
};

const FENCE = /^(\s*)```(\w*)\s*$/;
const DIRECTIVE = /^<!-- test: (.*) -->$/;

/**
 * The `sh` blocks of a page in their order.
 *
 * @throws Error for a directive that is none of: `beside until "text"`, `not run: reason`, `see path/of/a.test.ts`, or a stand-in
 */
export function shellBlocks(page: string, markdown: string): ShellBlock[] {
  const blocks: ShellBlock[] = [];
  let fence: { indent: string; language: string; line: number; lines: string[] } | null = null;
  let run: Run = { how: "to_the_end" };
  for (const [index, text] of markdown.split("\n").entries()) {
    const mark = FENCE.exec(text);
    if (fence && mark) {
      if (fence.language === "sh")
        blocks.push({ page, line: fence.line, commands: fence.lines.join("\n"), run });
      fence = null;
      run = { how: "to_the_end" };
    } else if (fence) {
      fence.lines.push(text.startsWith(fence.indent) ? text.slice(fence.indent.length) : text);
    } else if (mark) {
      fence = { indent: mark[1] ?? "", language: mark[2] ?? "", line: index + 2, lines: [] };
    } else {
      const directive = DIRECTIVE.exec(text.trim())?.[1];
      const stand_in = directive && STAND_INS[directive];
      if (stand_in) blocks.push({ page, line: index + 1, ...stand_in });
      else if (directive) run = parseRun(directive, `${page}:${index + 1}`);
      else if (text.trim() !== "") run = { how: "to_the_end" };
    }
  }
  return blocks;
}

function parseRun(text: string, where: string): Run {
  const beside = /^beside until "(.+)"$/.exec(text);
  if (beside) return { how: "beside", until: beside[1]! };
  const not = /^not run: (.+)$/.exec(text);
  if (not) return { how: "not", reason: not[1]! };
  const elsewhere = /^see (\S+\.test\.ts)$/.exec(text);
  if (elsewhere) return { how: "elsewhere", test: elsewhere[1]! };
  throw new Error(`${where}: unknown test directive: ${text}`);
}
