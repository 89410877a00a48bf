import { program as agentProgram } from "../../agent/main.ts";
import { aggregatorProgram } from "../../aggregator/main.ts";
import { cliReference } from "../../shared/cli-reference.ts";
import { simProgram } from "../main.ts";

const INTRODUCTION = `# Commands

Made from the commands themselves by \`npm run docs:cli\`; a test holds this page to them. In a clone the programs are run as
\`npm run skadi-aggregator -- <command>\`.

At three in the morning:

<!-- test: see test/e2e/terminal.test.ts -->
\`\`\`sh
skadi-aggregator top                     # the racks live, the worst first; ? shows the keys, enter says why, q quits
skadi-aggregator incidents               # what is wrong, since when, how sure
skadi-aggregator incidents show 3871638d # cause, evidence, racks, timeline; the short id of the list will do
skadi-aggregator incidents ack 3871638d --text "on my way"
skadi-aggregator actions list --rack R-C-07
skadi-aggregator actions explain 23cd1b38
skadi-aggregator logs --follow --type incident,mms,action
skadi-aggregator mode kill-switch on     # nothing is driven any more, whatever the mode
\`\`\`

- **Which aggregator**: \`--url\`, else the variable \`SKADI_URL\`, else \`http.host\` and \`http.port\` of the configuration.
- **Token**, for what controls something: \`--token\`, else \`SKADI_TOKEN\` (which other users of the machine do not see), else
  \`api-token\` in the configuration's \`data_dir\`; that one is sent to this machine alone.
- **\`--json\`** prints the result as one JSON line, \`logs\` one for each event. Messages and questions go to standard error.
- **Exit codes**: 0 done, 1 the job failed or was declined, 2 the request was wrong or nothing answered.
- **Questions** are asked at a terminal alone; elsewhere \`--yes\` must be given.
- **Colours** are for terminals, and not where \`NO_COLOR\` is set. Tables are as wide as the terminal; in a pipe nothing is
  cut. Times are UTC.

Completion of commands, options and values:

<!-- test: see test/integration/completion.test.ts -->
\`\`\`sh
source <(skadi-aggregator completion bash)   # in ~/.bashrc; zsh the same in ~/.zshrc, after compinit
skadi-aggregator completion fish > ~/.config/fish/completions/skadi-aggregator.fish
\`\`\`
`;

/** docs/cli.md: every command of the three programs. */
export async function cliPage(): Promise<string> {
  const programs = [await aggregatorProgram(), agentProgram, await simProgram()];
  return [INTRODUCTION, ...programs.map((program) => cliReference(program))]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
