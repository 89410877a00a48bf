import { createLogUpdate } from "log-update";
import pc from "picocolors";
import type { AgentStats } from "../../agent/agent.ts";
import type { Overview } from "./overview.ts";

const LINE_EVERY_MS = 10_000;

export interface StatusScreen {
  show(overview: Overview, stats: AgentStats, elapsed_s: number): void;
  done(): void;
}

/** One live screen on a terminal; elsewhere one line every ten seconds. */
export function statusScreen(stream: NodeJS.WriteStream): StatusScreen {
  const update = createLogUpdate(stream);
  let last_line_ms = Number.NEGATIVE_INFINITY;
  return {
    show(overview, stats, elapsed_s) {
      if (stream.isTTY) {
        update(screen(overview, stats, elapsed_s));
        return;
      }
      const now = performance.now();
      if (now - last_line_ms < LINE_EVERY_MS) return;
      last_line_ms = now;
      stream.write(`${line(overview, stats, elapsed_s)}\n`);
    },
    done: () => update.done(),
  };
}

function screen(o: Overview, stats: AgentStats, elapsed_s: number): string {
  const { nominal, transient, persistent, total, online } = o.racks;
  return [
    "",
    `  ${pc.bold("Racks")}          ${online}/${total} online   ${pc.green(`● ${nominal} nominal`)}   ${pc.yellow(`▲ ${transient} transient`)}   ${pc.red(`■ ${persistent} persistent`)}`,
    `  ${pc.bold("Worst rack")}     ${worst(o)}`,
    `  ${pc.bold("Energy")}         ${number(o.kpis.wh_per_prompt, 3)} Wh per prompt, ${number(o.kpis.pdu_kw, 0)} kW in the racks`,
    `  ${pc.bold("Service")}        p95 ${number(o.kpis.latency_p95_ms, 0)} ms, inlet within limits ${number(o.kpis.inlet_compliance_pct, 1)} %`,
    `  ${pc.bold("Actions")}        ${o.actions} ${o.mode === "advisory" ? "(advice only: mode is advisory)" : "(closed loop)"}`,
    `  ${pc.bold("Flow")}           ${stats.scores.toLocaleString("en")} scores, ${stats.published.toLocaleString("en")} messages, ${stats.outbox} waiting`,
    `  ${pc.dim(`${elapsed_s.toFixed(0)} s simulated; Ctrl-C stops`)}`,
    "",
  ].join("\n");
}

function line(o: Overview, stats: AgentStats, elapsed_s: number): string {
  const { nominal, transient, persistent, online } = o.racks;
  return `${elapsed_s.toFixed(0).padStart(5)} s  online ${online}  nominal ${nominal}  transient ${transient}  persistent ${persistent}  worst ${worst(o)}  ${number(o.kpis.wh_per_prompt, 3)} Wh/prompt  actions ${o.actions}  scores ${stats.scores}`;
}

function worst(o: Overview): string {
  if (!o.worst_rack) return "none scored yet";
  const { rack_id, d, tau_fast, contributions } = o.worst_rack;
  const why = contributions.map((c) => `${c.feature} ${(100 * c.share).toFixed(0)} %`).join(", ");
  return `${rack_id} D ${d.toFixed(2)} (tau_fast ${tau_fast.toFixed(2)}; ${why})`;
}

function number(value: number | null, decimals: number): string {
  return value === null ? "–" : value.toFixed(decimals);
}
