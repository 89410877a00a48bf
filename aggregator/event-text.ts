import { modeEventText } from "./control/mode-event-text.ts";
import type { StoredEvent } from "./store/store.ts";

type Data = StoredEvent["data"];

/** What an event says, for people; types that this table does not know are shown with their bare data. */
const WORDS: Readonly<Record<string, (data: Data, rack_id: string | null) => string>> = {
  mode: (data, rack_id) => modeEventText({ data, rack_id }),
  rollback: (data) => `change of ${String(data.target)} taken back: ${String(data.worsened)}`,
  mms: (data) => `MMS: ${String(data.state)}`,
  command_refused: (data) => `the agent refused a command: ${bare(data)}`,
  model: (data) => `model ${String(data.model_id)} in force`,
  model_stage: (data) => `model ${String(data.model_id)} is ${String(data.stage)}: ${String(data.reason)}`,
  model_pin: (data) =>
    `${String(data.scope)} ${data.pinned === true ? "is pinned to" : "is no longer pinned to"} ${String(data.model_id)}`,
  model_keys: (data) => `models and commands are signed by key ${String(data.key_id)}`,
  status: (data) => `agent ${String(data.state)}`,
  scenario: (data) => `scenario: ${bare(data)}`,
  clock: ({ behind_s }) => clockText(Number(behind_s)),
  seq_restart: (data) => `the agent started its sequence again: ${bare(data)}`,
};

function clockText(behind_s: number): string {
  if (behind_s === 0) return "the agent's clock is right again";
  if (behind_s < 0) return `the agent's clock is ${-behind_s} s ahead of ours`;
  return `the agent's clock is ${behind_s} s behind ours, or its data takes so long to come`;
}

export const eventText = ({ type, rack_id, data }: Pick<StoredEvent, "type" | "rack_id" | "data">): string =>
  WORDS[type]?.(data, rack_id) ?? `${type}: ${bare(data)}`;

const TEXT_MAX = 200;

function bare(data: Data): string {
  const text = Object.entries(data)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
}
