import type { Command, Option } from "commander";

type Block = string | { readonly term: string; readonly text: string };

/** What commander does not know; everything else on the page is made from the commands' definitions. */
const PROSE: Readonly<Record<string, readonly Block[]>> = {
  CONFIGURATION: [
    "A YAML file; /etc/skadi/agent.yaml is the commented sample. A wrong file names every wrong field at once. Only rack_id and the sensors must be set. In the default mode, advisory, nothing is driven.",
  ],
  ENVIRONMENT: [
    {
      term: "SKADI_<SECTION>_<NAME>",
      text: "Overrides a value of the configuration, for example SKADI_RACK_ID, SKADI_MQTT_URL or SKADI_MQTT_PASSWORD. The services read /etc/skadi/agent.env, or /etc/skadi/NAME.env; let only root read it.",
    },
  ],
  FILES: [
    { term: "/etc/skadi/agent.yaml", text: "The configuration of skadi-agent.service." },
    {
      term: "/etc/skadi/NAME.yaml",
      text: "The configuration of skadi-agent@NAME.service, one for each rack.",
    },
    {
      term: "/var/lib/skadi-agent, /var/lib/skadi-agent-NAME",
      text: "The services' working directory and state.",
    },
  ],
  SIGNALS: [
    { term: "SIGTERM, SIGINT", text: "The agent stops in an orderly way; a second signal ends it at once." },
  ],
  "EXIT STATUS": [
    { term: "0", text: "Done." },
    { term: "1", text: "The job failed." },
    { term: "2", text: "The request was wrong: options, configuration, data or model." },
  ],
  EXAMPLES: [
    { term: "skadi-agent check --config /etc/skadi/agent.yaml", text: "What works and what does not." },
    { term: "systemctl enable --now skadi-agent", text: "Runs the agent from now on, and after a reboot." },
    { term: "systemctl enable --now skadi-agent@r-c-07", text: "The same with /etc/skadi/r-c-07.yaml." },
  ],
  "SEE ALSO": ["systemctl(1), journalctl(1)"],
};

/**
 * The program's manual page (section 1, man macros).
 *
 * @param date of the release
 */
export function manPage(program: Command, date: Date): string {
  const name = program.name();
  const lines = [
    `.TH ${name.toUpperCase()} 1 ${date.toISOString().slice(0, 10)} "Skadi ${program.version()}" "Skadi"`,
    ".SH NAME",
    `${roff(name)} \\- Skadi's rack agent`,
    ".SH SYNOPSIS",
    `.B ${roff(name)}`,
    ".I command",
    "[options]",
    ".SH DESCRIPTION",
    roff(program.description()),
    ".SH COMMANDS",
    ...program.commands.flatMap(commandLines),
    ".SH OPTIONS",
    ...visibleOptions(program).flatMap(optionLines),
  ];
  for (const [title, blocks] of Object.entries(PROSE))
    lines.push(`.SH "${title}"`, ...blocks.flatMap(blockLines));
  return `${lines.join("\n")}\n`;
}

function commandLines(command: Command): string[] {
  const usage = [command.name(), ...command.registeredArguments.map((a) => `<${a.name()}>`)].join(" ");
  const options = visibleOptions(command).flatMap(optionLines);
  return [`.SS ${roff(usage)}`, roff(command.description()), ...options];
}

function visibleOptions(command: Command): Option[] {
  return command.createHelp().visibleOptions(command) as Option[];
}

function optionLines(option: Option): string[] {
  const note = option.defaultValue === undefined ? "" : ` (default: ${JSON.stringify(option.defaultValue)})`;
  return blockLines({ term: option.flags, text: option.description + note });
}

function blockLines(block: Block): string[] {
  if (typeof block === "string") return [roff(block)];
  return [".TP", `.B ${roff(block.term)}`, roff(block.text)];
}

/** Plain text as roff text: no character starts a request or an escape, and hyphens may be copied as they are. */
function roff(text: string): string {
  return text
    .replace(/\\/g, "\\e")
    .replace(/-/g, "\\-")
    .replace(/^(['.])/gm, "\\&$1");
}
