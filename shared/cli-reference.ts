import type { Command, Option } from "commander";
import { fullName } from "./cli.ts";

/** A program's commands as Markdown, made from their definitions: usage, arguments, options. */
export function cliReference(program: Command): string {
  const own = visibleOptions(program);
  const lines = [`## ${program.name()}`, "", `${sentence(program.description())}`, "", ...optionTable(own)];
  return [...lines, ...program.commands.flatMap(commandLines)].join("\n");
}

function commandLines(command: Command): string[] {
  const inner = command.commands;
  const usage = `${fullName(command)} ${command.usage()}`;
  const heading = [`### ${fullName(command)}`, "", sentence(command.description()), ""];
  if (inner.length > 0) return [...heading, ...inner.flatMap(commandLines)];
  return [
    ...heading,
    "```text",
    usage,
    "```",
    "",
    ...argumentLines(command),
    ...optionTable(visibleOptions(command)),
  ];
}

function argumentLines(command: Command): string[] {
  const told = command.registeredArguments.filter((a) => a.description !== "" || a.argChoices);
  const lines = told.map((argument) => {
    const choices = argument.argChoices ? `one of ${argument.argChoices.join(", ")}` : "";
    return `- \`${argument.name()}\`: ${[argument.description, choices].filter(Boolean).map(cell).join("; ")}`;
  });
  return lines.length > 0 ? [...lines, ""] : [];
}

const visibleOptions = (command: Command) =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help" && long !== "--version");

function optionTable(options: readonly Option[]): string[] {
  if (options.length === 0) return [];
  const rows = options.map(
    (option) => [`\`${option.flags.replaceAll("|", "\\|")}\``, cell(described(option))] as const,
  );
  const width = (column: 0 | 1, head: string) =>
    Math.max(head.length, ...rows.map((row) => row[column].length));
  const [left, right] = [width(0, "option"), width(1, "what")];
  const row = (a: string, b: string) => `| ${a.padEnd(left)} | ${b.padEnd(right)} |`;
  return [
    row("option", "what"),
    `| ${"-".repeat(left)} | ${"-".repeat(right)} |`,
    ...rows.map(([flags, what]) => row(flags, what)),
    "",
  ];
}

function described({ description, argChoices, defaultValue, envVar, mandatory }: Option): string {
  const notes = [
    ...(argChoices ? [`one of ${argChoices.join(", ")}`] : []),
    ...(mandatory ? ["required"] : []),
    ...(isShown(defaultValue) ? [`default: ${String(defaultValue)}`] : []),
    ...(envVar ? [`variable: ${envVar}`] : []),
  ];
  return [description, ...notes].join("; ");
}

const isShown = (value: unknown) => ["string", "number"].includes(typeof value) && value !== "";

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${cell(text.slice(1))}.`;
