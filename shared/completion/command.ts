import { Argument, Command } from "commander";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { commandNodes } from "./tree.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS) as Shell[];

/**
 * `completion <shell>`: prints a script that completes the program's commands, options and their values.
 *
 * @param whole the program with all its commands: the script is made from what it is asked to complete
 */
export function completionCommand(whole: () => Command | Promise<Command>): Command {
  return new Command("completion")
    .description("print a script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", () => `\nFor bash: source <(… completion bash). The script's first line says more.`)
    .action(async (shell: Shell) => {
      process.stdout.write(completionScript(shell, await whole()));
    });
}

export function completionScript(shell: Shell, program: Command): string {
  return SCRIPTS[shell](program.name(), commandNodes(program));
}
