import type { OptimizerRound } from "../../shared/contracts/optimizer.ts";

const SKIPPED: Record<NonNullable<OptimizerRound["skipped"]>, string> = {
  kill_switch: "The kill switch is on: nothing is planned.",
  no_model: "There is no IMS model, so that nobody could tell what a change may cost: nothing is planned.",
  no_fresh_data: "No rack has sent complete figures within the last minute: nothing is planned.",
  switchback:
    "It pauses, and handed everything back: the plant is measured without it (savings.switchback_h).",
};

/** Why racks were left alone; what is not listed here concerns single candidates. */
const LEFT_ALONE: Record<string, string> = {
  rack_guarded: "protected by the guardrail",
  rack_persistent: "in persistent deviation",
  rack_stale: "without fresh figures",
  rack_offline: "without an agent",
  rack_latency: "too slow already",
  rack_model_learning: "whose models are learning",
  rack_model_stale: "that have not sent complete figures for minutes",
  rack_model_poor: "that the models predict badly",
};

/** A round in sentences: what decided and why, what was left alone, what is out of reach, how well it predicts. */
export function roundSentences(
  round: Pick<
    OptimizerRound,
    "skipped" | "policy" | "fallback" | "rejected" | "explanations" | "prediction" | "actions"
  >,
): string[] {
  const { skipped, rejected, explanations } = round;
  if (skipped) return [SKIPPED[skipped]];
  const left = Object.entries(LEFT_ALONE)
    .filter(([reason]) => rejected[reason])
    .map(([reason, words]) => `${rejected[reason]} ${words}`);
  return [
    decided(round),
    ...(left.length > 0 ? [`Racks left alone: ${left.join(", ")}.`] : []),
    ...explanations.map((explanation) => `${explanation[0]?.toUpperCase()}${explanation.slice(1)}.`),
    ...accuracy(round.prediction),
  ];
}

function decided({ policy, fallback, actions }: Parameters<typeof roundSentences>[0]): string {
  const n = actions.length;
  const changes = n === 0 ? "nothing to change" : n === 1 ? "one change" : `${n} changes`;
  if (policy === "predictive") return `The whole site was planned with learnt models: ${changes}.`;
  if (!fallback) return `Each rack's candidates were judged one by one: ${changes}.`;
  const [why, detail] = fallback.split(": ");
  const state = why === "model_learning" ? "are still learning" : "do not predict well enough";
  return `The learnt models ${state} (${detail}), so that candidates were judged one by one: ${changes}.`;
}

function accuracy({ ten_minutes }: OptimizerRound["prediction"]): string[] {
  if (!ten_minutes) return [];
  const { inlet_c, pdu_kw, latency_p95_ms } = ten_minutes;
  return [
    `Ten minutes ahead it errs by ${inlet_c.toFixed(2)} °C of inlet, ${pdu_kw.toFixed(2)} kW and ${latency_p95_ms.toFixed(1)} ms of p95 (root mean square).`,
  ];
}
