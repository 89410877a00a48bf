import { Argument, Command } from "commander";
import { Mode } from "../../shared/contracts/action.ts";
import { ModeAnswer } from "../../shared/contracts/answers.ts";
import { skadiError } from "../../shared/errors.ts";
import { confirmed } from "../cli/confirm.ts";
import { defaultCommand } from "../cli/default-command.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print } from "../cli/output.ts";

interface ScopeFlags extends ClientFlags {
  row?: string;
  rack?: string;
  yes?: boolean;
}

/** `skadi-aggregator mode`: whether anything is driven, where, and the switch that ends it all. */
export function modeCommand(): Command {
  const mode = new Command("mode").description(
    "whether actuators are driven or only advised, and the kill switch",
  );
  withClientOptions(defaultCommand(mode, "show")).description("show mode and kill switch").action(show);
  withClientOptions(mode.command("set"), { controls: true })
    .description("set the mode of the site, or of one row or rack")
    .addArgument(new Argument("<mode>", "only advise, or drive the actuators").choices(Mode.options))
    .option("--row <row>", "of this row alone")
    .option("--rack <id>", "of this rack alone")
    .option("--yes", "do not ask before closed_loop")
    .action(set);
  withClientOptions(mode.command("clear"), { controls: true })
    .description("let a row or rack follow the site's mode again")
    .option("--row <row>", "this row")
    .option("--rack <id>", "this rack")
    .action(clear);
  withClientOptions(mode.command("kill-switch"), { controls: true })
    .description("on: nothing on the whole site is driven from now on, whatever the mode")
    .addArgument(new Argument("<state>", "pull it, or let go of it").choices(["on", "off"]))
    .option("--yes", "do not ask")
    .action(killSwitch);
  return mode;
}

async function show(flags: ClientFlags): Promise<void> {
  const answer = await clientOf(flags).get("/mode", ModeAnswer);
  print(answer, () => modeLines(answer), flags);
}

async function set(mode: Mode, flags: ScopeFlags): Promise<void> {
  const scope = scopeOf(flags);
  const where = placeOf(flags);
  const question = `Let Skadi drive the actuators of ${where}?`;
  if (mode === "closed_loop" && !(await confirmed(question, flags.yes))) return;
  await change({ mode, ...scope }, flags);
}

async function clear(flags: ScopeFlags): Promise<void> {
  const scope = scopeOf(flags);
  if (!scope.scope)
    throw skadiError("SKADI_INVALID_FIELD", { field: "--row", expected: "--row <row> or --rack <id>" });
  await change({ mode: null, ...scope }, flags);
}

async function killSwitch(state: "on" | "off", flags: ScopeFlags): Promise<void> {
  const question =
    state === "on"
      ? "Stop driving anything on the whole site, now?"
      : "Let go of the kill switch? What the mode says holds again.";
  if (!(await confirmed(question, flags.yes))) return;
  await change({ kill_switch: state === "on" }, flags);
}

async function change(body: object, flags: ClientFlags): Promise<void> {
  const answer = await clientOf(flags).control("/mode", ModeAnswer, body);
  print(answer, () => modeLines(answer), flags);
}

function scopeOf({ row, rack }: ScopeFlags): { scope?: { row: string } | { rack_id: string } } {
  if (row !== undefined && rack !== undefined)
    throw skadiError("SKADI_INVALID_FIELD", { field: "--rack", value: rack, expected: "no --row beside it" });
  if (rack !== undefined) return { scope: { rack_id: rack } };
  return row === undefined ? {} : { scope: { row } };
}

const placeOf = ({ row, rack }: ScopeFlags) => rack ?? (row === undefined ? "the whole site" : `row ${row}`);

function modeLines({ mode, kill_switch, overrides }: ModeAnswer): string[] {
  const { red, bold } = colours;
  const { rows = {}, racks = {} } = overrides ?? {};
  const some = [...Object.values(rows), ...Object.values(racks)].some((own) => own !== mode);
  const what = mode === "advisory" ? "nothing is driven" : "actuators are driven within their limits";
  return [
    `Site         ${bold(mode)} (${what}${some ? ", but for what follows" : ""})`,
    ...Object.entries(rows).map(([row, own]) => `Row ${row.padEnd(9)}${own}`),
    ...Object.entries(racks).map(([rack, own]) => `${rack.padEnd(13)}${own}`),
    `Kill switch  ${kill_switch ? red(bold("ON: nothing is driven, whatever the mode")) : "off"}`,
  ];
}
