import type { Colours } from "../../shared/colours.ts";
import type { Action, Mode } from "../../shared/contracts/action.ts";
import type { RackSummary } from "../../shared/contracts/overview.ts";
import { isoTime } from "../../shared/time.ts";
import type { Column } from "../cli/table.ts";
import { figure, instant, plain, setting, span } from "../cli/text.ts";
import { ADVICE_AHEAD_MS, ADVICE_VALID_MS } from "./apply.ts";

/** What lists show of an action's id: of a guardrail's rack and decision, without the time at which the agent began. */
export const shortId = (id: string): string => id.replace(/^(R-.+)-\d{10,}(-[\d.]+)$|^(.{8}).*$/, "$1$2$3");

const rounded = (value: number | null) => setting(value === null ? null : Math.round(value * 100) / 100);

/** Such as `fan_rpm_pct 65 → 60`. */
export const changeText = ({ target, from, to }: Pick<Action, "target" | "from" | "to">): string =>
  `${target} ${rounded(from)} → ${rounded(to)}`;

function outcomePaint(colours: Colours, { outcome }: Action) {
  return { applied: colours.green, advised: colours.dim, refused: colours.red, sent: colours.yellow }[
    outcome
  ];
}

/** @param now_ms the time of actions of the same day goes without the date */
export function actionColumns(colours: Colours, now_ms: number): Column<Action>[] {
  return [
    { head: "ID", text: ({ id }) => shortId(id) },
    { head: "TIME", text: ({ ts }) => briefTime(ts, now_ms), drop: 2 },
    { head: "RACK", text: ({ rack_id }) => rack_id ?? "site" },
    { head: "SOURCE", text: ({ source }) => source, drop: 4 },
    {
      head: "OUTCOME",
      text: ({ outcome }) => outcome,
      paint: (text, action) => outcomePaint(colours, action)(text),
    },
    { head: "CHANGE", text: changeText },
    { head: "KW", text: (action) => figure(savingKw(action), 2), align: "right", drop: 3 },
    { head: "WHY", text: ({ reason }) => reason, min: 12 },
  ];
}

function briefTime(ts: string, now_ms: number): string {
  const [day = "", time = ""] = instant(ts).split(" ");
  return isoTime(now_ms).startsWith(day) ? time : `${day.slice(5)} ${time.slice(0, 5)}Z`;
}

/** What it saved where that is known, else what it was predicted to save. */
const savingKw = ({ realized_saving_kw, predicted_saving_kw }: Action) =>
  realized_saving_kw ?? predicted_saving_kw;

/** Every field of an action, a line each. */
export function actionLines(action: Action, { bold }: Colours): string[] {
  const { inputs, ...fields } = action;
  const rows = [
    ...Object.entries(fields),
    ...Object.entries(inputs).map(([name, value]) => [`inputs.${name}`, value] as const),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${bold(name.padEnd(width))}  ${plain(String(value ?? "–"))}`);
}

/** How things are at the moment at which somebody asks. */
export interface Now {
  ts: string;
  mode: Mode;
  kill_switch: boolean;
  rack: RackSummary | null;
}

const SOURCES = {
  guardrail: "The rack's own guardrail",
  optimizer: "The optimizer",
  operator: "An operator",
} as const;

const OUTCOMES = {
  applied: "It was driven, and the device confirmed it.",
  advised: "Nothing was driven: it is advice.",
  refused: "It was refused.",
  sent: "It was sent to the rack's agent, whose answer is not there yet.",
} as const;

/** Why it was decided, what it was meant to do, what came of it and what can be done now. */
export function explanation(action: Action, now: Now, { bold, dim }: Colours): string[] {
  const { source, kind, rack_id, reason, inputs, outcome, mode, ts, id } = action;
  const age_ms = Date.parse(now.ts) - Date.parse(ts);
  const where = rack_id ?? "the whole site";
  const lines = [
    bold(`${where}: ${changeText(action)}`),
    `${SOURCES[source]} decided this ${span(age_ms)} ago (${instant(ts)}), as ${kind}, in mode ${mode}.`,
    "",
    `${bold("Why")}      ${plain(reason)}`,
  ];
  const figures = Object.entries(inputs).map(
    ([name, value]) =>
      `${name} ${typeof value === "number" ? Math.round(value * 1000) / 1000 : String(value)}`,
  );
  if (figures.length > 0) lines.push(`${bold("Seen")}     ${plain(figures.join(", "))}`);
  lines.push(`${bold("Outcome")}  ${OUTCOMES[outcome]}`);
  const { predicted_saving_kw, realized_saving_kw } = action;
  if (predicted_saving_kw !== undefined || realized_saving_kw !== undefined)
    lines.push(
      `${bold("Saving")}   predicted ${figure(predicted_saving_kw, 3)} kW, realized ${figure(realized_saving_kw, 3)} kW`,
    );
  if (now.rack) {
    const { inlet_c, outlet_c, pdu_kw, latency_p95_ms, d, state } = now.rack;
    lines.push(
      `${bold("Now")}      ${state}, D ${figure(d, 2)}, inlet ${figure(inlet_c, 1)} °C, outlet ${figure(outlet_c, 1)} °C, ${figure(pdu_kw, 2)} kW, p95 ${figure(latency_p95_ms, 0)} ms`,
    );
  }
  return [...lines, "", ...nextSteps(action, now, age_ms).map((step) => `${dim("→")} ${step(id)}`)];
}

/** What became of an approval. */
export function approvalText({ id, rack_id, outcome, reason, mode }: Action): string {
  const name = shortId(id);
  switch (outcome) {
    case "applied":
      return `${name}: driven by the agent of ${rack_id}`;
    case "refused":
      return `${name}: refused: ${plain(reason)}`;
    case "sent":
      return `${name}: sent to the agent of ${rack_id}, which has not answered yet (skadi-aggregator actions show ${name})`;
    case "advised":
      return `${name}: not driven: the agent of ${rack_id}, in mode ${mode}, has only taken note; is its kill switch file there?`;
  }
}

function nextSteps(
  { source, outcome, rack_id }: Action,
  now: Now,
  age_ms: number,
): ((id: string) => string)[] {
  const replay = (id: string) =>
    `The rules that fired, decided again: on ${rack_id}'s host, skadi-agent explain ${id}`;
  const first = source === "guardrail" ? [replay] : [];
  if (outcome !== "advised" || rack_id === null)
    return first.length > 0
      ? first
      : [() => `All of this rack's: skadi-aggregator actions list --rack ${rack_id}`];
  if (now.kill_switch)
    return [
      ...first,
      () => "The kill switch is on: nothing can be approved. skadi-aggregator mode kill-switch off",
    ];
  if (age_ms < -ADVICE_AHEAD_MS)
    return [
      ...first,
      () => "Dated ahead, so that nobody knows how old it is: set the clock of the rack's host",
    ];
  if (age_ms > ADVICE_VALID_MS)
    return [
      ...first,
      () => `Too old to approve (${span(ADVICE_VALID_MS)}): newer advice is in skadi-aggregator actions list`,
    ];
  const approve = (id: string) => `Have it driven, once: skadi-aggregator actions approve ${shortId(id)}`;
  return [...first, approve];
}
