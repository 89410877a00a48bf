import { isDeepStrictEqual } from "node:util";
import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { reject, SkadiError, skadiError } from "../../shared/errors.ts";
import { guard, type Intent, type Severity } from "../guardrail/guardrail.ts";
import { journalFile, readDecision } from "../journal.ts";
import type { Decision } from "../journal-record.ts";

/** What the guard of this build makes of a stored decision's inputs. */
interface Replay {
  same: boolean;
  severity: Severity;
  intents: Intent[];
}

/**
 * Prints what the guardrail saw, which rule fired and what it decided, and decides it again. Exit code 1 if another
 * decision comes out now: then the code has changed since.
 */
export function explain(config: AgentConfig, id: string, options: { json?: boolean }): void {
  const decision = stored(journalFile(config), id);
  const replay = decideAgain(decision);
  process.stdout.write(
    options.json ? `${JSON.stringify({ ...decision, replay })}\n` : `${described(decision, replay, id)}\n`,
  );
  if (!replay.same) process.exitCode = 1;
}

function stored(file: string, id: string): Decision {
  let found: ReturnType<typeof readDecision>;
  try {
    found = readDecision(file, id);
  } catch (error) {
    const expected = `the agent's journal (${error instanceof Error ? error.message : String(error)})`;
    throw new SkadiError(reject("SKADI_NOT_FOUND", { field: file, expected }), { cause: error });
  }
  if (!found) {
    const expected = `a decision of the guardrail in ${file}; commands are explained by the aggregator's action log`;
    throw skadiError("SKADI_NOT_FOUND", { field: "id", value: id, expected });
  }
  if (!found.ok) throw new SkadiError(found.rejections);
  return found.value;
}

function decideAgain({ context, state, input, severity, intents }: Decision): Replay {
  const again = guard(context, state, input);
  const same = again.severity === severity && isDeepStrictEqual(again.intents, intents);
  return { same, severity: again.severity, intents: again.intents };
}

function described(decision: Decision, replay: Replay, id: string): string {
  const { input, intents, outcomes } = decision;
  const { setpoints, heat } = input;
  const overridden = Object.entries(setpoints).flatMap(([target, value]) =>
    value === null
      ? []
      : [`${target} ${value}${input.owned.some((t) => t === target) ? " (guardrail's)" : ""}`],
  );
  const lines = [
    `${decision.id}  ${decision.ts}  ${decision.rack_id}  (agent ${decision.agent_version}, model ${decision.model_id ?? "none"})`,
    "seen",
    `  inlet ${known(input.inlet_c)} °C on average, hottest ${known(input.hottest_inlet_c)} °C; limit ${decision.context.limits.inlet_c} °C`,
    `  above nominal: inlet ${known(heat.inlet_z)} σ, outlet ${known(heat.outlet_z)} σ`,
    `  D ${known(input.d)}, tau_fast ${known(input.tau_fast)}, MMS ${input.mms_state}, departure ${input.departure ?? "none"}`,
    `  fan ${known(input.fan_rpm_pct)} %, pump ${known(input.pump_rpm_pct)} %, power ${known(input.pdu_kw)} kW`,
    `  in force: ${overridden.join(", ") || "every device under its own control"}`,
    `rule  ${decision.severity}: ${intents[0]?.reason ?? ""}`,
    "decided",
    ...intents.map((intent, n) => {
      const outcome = outcomes[n];
      const asked = outcome?.action_id === id ? "→" : " ";
      const urgency = intent.emergency ? ", emergency" : "";
      return `${asked} ${outcome?.action_id ?? "?"}  ${intent.kind} ${intent.target} ${setting(outcome?.from ?? null)} → ${setting(intent.value)}${urgency}: ${became(outcome)}`;
    }),
    replay.same
      ? "replay  the same decision comes out again"
      : `replay  DIFFERENT: this build decides ${replay.severity}: ${brief(replay.intents)}. The code has changed since agent ${decision.agent_version}.`,
  ];
  return lines.join("\n");
}

function became(outcome: Decision["outcomes"][number] | undefined): string {
  if (!outcome) return "unknown";
  const result =
    outcome.now === undefined ? outcome.outcome : `${outcome.outcome}, now ${setting(outcome.now)}`;
  const repeated = outcome.published ? "" : " (not published: it repeats itself)";
  return `${result} in ${outcome.mode}${repeated}${outcome.problem ? `; ${outcome.problem}` : ""}`;
}

function brief(intents: readonly Intent[]): string {
  return (
    intents.map(({ kind, target, value }) => `${kind} ${target} ${setting(value)}`).join(", ") || "nothing"
  );
}

function known(value: number | null): string {
  return value === null ? "unknown" : String(Math.round(value * 100) / 100);
}

function setting(value: number | null): string {
  return value === null ? "auto" : String(value);
}
