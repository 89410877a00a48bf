import Table from "cli-table3";
import { Command } from "commander";
import { skadiError } from "../shared/errors.ts";
import { readConfig } from "./cli-config.ts";
import { reachableHost } from "./reachable-host.ts";

/** The parts of `GET /report/judges` that are printed. */
interface Report {
  generated_at: string;
  overview: {
    site: string;
    mode: string;
    kill_switch: boolean;
    model_id: string | null;
    racks: Record<string, number>;
    kpis: Record<string, number | null>;
  };
  deviations: { rack_id: string; d: number; share_of_tau_fast: number; state: string }[];
  persistent: string[];
  actions: {
    total: number;
    by_outcome: Record<string, number>;
    predicted_saving_kw: number;
    realized_saving_kw: number;
  };
}

/** `skadi-aggregator report`: the report of a running aggregator. */
export function reportCommand(): Command {
  return new Command("report")
    .description("print the report of a running aggregator")
    .option("--config <file>", "configuration (default: config/aggregator.yaml)")
    .option("--url <url>", "address of the aggregator (default: from the configuration)")
    .option("--json", "print the report as JSON")
    .action(report);
}

async function report(flags: { config?: string; url?: string; json?: boolean }): Promise<void> {
  const { http } = readConfig(flags.config);
  const base = flags.url ?? `http://${reachableHost(http.host)}:${http.port}`;
  const body = await fetchReport(base);
  process.stdout.write(flags.json ? `${JSON.stringify(body)}\n` : readable(body));
}

async function fetchReport(base: string): Promise<Report> {
  try {
    const response = await fetch(new URL("/report/judges", base));
    if (response.ok) return (await response.json()) as Report;
    throw new Error(`HTTP ${response.status}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_NOT_FOUND", {
      field: "url",
      value: base,
      expected: `a running aggregator (${reason})`,
    });
  }
}

function readable({ generated_at, overview, deviations, persistent, actions }: Report): string {
  const { site, mode, kill_switch, model_id, racks, kpis } = overview;
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
  return `${[
    `Site ${site} at ${generated_at}: ${mode}${kill_switch ? ", kill switch ON" : ""}, model ${model_id ?? "none"}`,
    `Racks: ${counts(racks)}`,
    `Persistent: ${persistent.join(", ") || "none"}`,
    `Actions: ${actions.total} (${counts(actions.by_outcome) || "none"}); saving predicted ${actions.predicted_saving_kw.toFixed(2)} kW, realized ${actions.realized_saving_kw.toFixed(2)} kW`,
    figures.toString(),
    worst.toString(),
  ].join("\n")}\n`;
}
