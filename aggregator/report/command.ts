import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { Report } from "../../shared/contracts/report.ts";
import { instantOption } from "../cli/moments.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { siteModeText } from "../control/site-mode-text.ts";
import { reportPage } from "./page.ts";

interface Flags extends ClientFlags {
  from?: number;
  to?: number;
  html?: string;
}

/** `skadi-aggregator report`: the report of a running aggregator. */
export function reportCommand(): Command {
  return withClientOptions(new Command("report"))
    .description("print the report of a running aggregator, or write it as a page that prints to PDF")
    .option(
      "--from <instant>",
      "begin of the period, ISO 8601 (default: 24 hours before its end)",
      instantOption,
    )
    .option("--to <instant>", "end of the period, ISO 8601 (default: now)", instantOption)
    .option("--html <file>", "write the report as a self-contained HTML page")
    .action(report);
}

async function report(flags: Flags): Promise<void> {
  const { config, get } = clientOf(flags);
  const { from, to } = flags;
  const body = await get("/report/judges", Report, { from, to });
  if (flags.html !== undefined) {
    mkdirSync(dirname(flags.html), { recursive: true });
    writeFileSync(flags.html, reportPage(body, { timezone: config.schedules.timezone }));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(body)}\n`);
  else process.stdout.write(flags.html === undefined ? readable(body) : `Written to ${flags.html}\n`);
}

function readable({
  generated_at,
  overview,
  deviations,
  persistent,
  actions,
  energy,
  incidents,
  savings,
  state,
}: Report): string {
  const { site, kill_switch, model_id, racks, kpis } = overview;
  const style = { head: [], border: [] };
  const figures = new Table({ style });
  for (const [name, value] of Object.entries(kpis))
    figures.push([name, value === null ? "–" : value.toFixed(3)]);
  const worst = new Table({ head: ["rack", "D", "share of tau_fast", "state"], style });
  for (const { rack_id, d, share_of_tau_fast, state } of deviations) {
    worst.push([rack_id, d.toFixed(3), share_of_tau_fast.toFixed(2), state]);
  }
  const counts = (record: Record<string, number>) =>
    Object.entries(record)
      .map(([name, n]) => `${n} ${name}`)
      .join(", ");
  const { measured } = savings;
  return `${[
    `Site ${site} at ${generated_at}: ${siteModeText(overview, state.cells)}${kill_switch ? ", kill switch ON" : ""}, model ${model_id ?? "none"}`,
    `Racks: ${counts(racks)}`,
    `Persistent: ${persistent.join(", ") || "none"}`,
    `Energy: ${energy.energy_kwh.toFixed(1)} kWh, ${energy.wh_per_prompt?.toFixed(3) ?? "–"} Wh per prompt`,
    `Incidents: ${incidents === null ? "not kept" : `${incidents.total}, ${incidents.open} open`}`,
    `Actions: ${actions.in_period} of ${actions.total} (${counts(actions.by_outcome) || "none"}); saving predicted ${actions.predicted_saving_kw.toFixed(2)} kW, realized ${actions.realized_saving_kw.toFixed(2)} kW; ${actions.rollbacks.length} taken back`,
    ...(measured
      ? [
          `Measured saving: ${measured.saving_pct.toFixed(1)} % (${measured.low_pct.toFixed(1)} … ${measured.high_pct.toFixed(1)} %)`,
        ]
      : []),
    figures.toString(),
    worst.toString(),
  ].join("\n")}\n`;
}
