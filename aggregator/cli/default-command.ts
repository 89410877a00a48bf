import type { Command } from "commander";
import { nearest } from "./nearest.ts";

/** Adds the subcommand that runs where none is named; a mistyped name is not taken for its argument. */
export function defaultCommand(parent: Command, name: string): Command {
  parent.description(`${parent.description()}; without a subcommand: ${name}`);
  const command = parent.command(name, { isDefault: true }).allowExcessArguments();
  return command.hook("preAction", () => {
    const [word] = command.args;
    if (word === undefined) return;
    const names = parent.commands.map((known) => known.name());
    const [meant] = nearest(word, names);
    parent.error(`error: unknown command '${word}'${meant ? `\n(Did you mean ${meant}?)` : ""}`);
  });
}
