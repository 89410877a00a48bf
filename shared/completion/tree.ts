import type { Argument, Command, Option } from "commander";

/** What may stand in a place of the command line. */
export type Value = { kind: "file" | "folder" | "other" } | { kind: "words"; words: readonly string[] };

export interface OptionNode {
  /** Such as `-h` and `--help`. */
  flags: readonly string[];
  description: string;
  /** null: the option stands alone. */
  value: Value | null;
}

/** One command of a program as completion sees it. */
export interface CommandNode {
  /** `/incidents/list`; of the program itself the empty string. */
  path: string;
  commands: readonly { name: string; description: string }[];
  options: readonly OptionNode[];
  /** Of its arguments the first: the others of this program's commands are numbers and texts. */
  argument: Value | null;
}

/** The program's commands, the program itself first. */
export function commandNodes(program: Command): CommandNode[] {
  return nodesOf(program, "");
}

function nodesOf(command: Command, path: string): CommandNode[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const [argument] = command.registeredArguments;
  const node = {
    path,
    commands: commands.map((inner) => ({ name: inner.name(), description: inner.description() })),
    options: help.visibleOptions(command).map(optionNode),
    argument: argument ? argumentValue(argument) : null,
  };
  return [node, ...command.commands.flatMap((inner) => nodesOf(inner, `${path}/${inner.name()}`))];
}

function optionNode(option: Option): OptionNode {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: option.description,
    value: option.required || option.optional ? placeValue(option.flags, option.argChoices) : null,
  };
}

function argumentValue(argument: Argument): Value {
  return placeValue(`<${argument.name()}>`, argument.argChoices);
}

/** The placeholder says what is meant: the help names files and folders so. */
function placeValue(flags: string, choices: readonly string[] | undefined): Value {
  if (choices) return { kind: "words", words: choices };
  if (/<(file|csv)>/.test(flags)) return { kind: "file" };
  return { kind: flags.includes("<folder>") ? "folder" : "other" };
}

/** The options that are followed by a value, as `<path>:<flag>`, those together that take the same. */
export function valuedOptions(nodes: readonly CommandNode[]): { keys: string[]; value: Value }[] {
  const groups = new Map<string, { keys: string[]; value: Value }>();
  for (const { path, options } of nodes) {
    for (const { flags, value } of options) {
      if (!value) continue;
      const group = groups.get(JSON.stringify(value)) ?? { keys: [], value };
      groups.set(JSON.stringify(value), group);
      group.keys.push(...flags.map((flag) => `${path}:${flag}`));
    }
  }
  return [...groups.values()];
}

/** The paths of all commands but the program itself. */
export const commandPaths = (nodes: readonly CommandNode[]): string[] =>
  nodes.map(({ path }) => path).filter((path) => path !== "");

/** The name of the script's function: `_skadi_agent`. */
export const functionName = (program: string) => `_${program.replaceAll("-", "_")}`;
