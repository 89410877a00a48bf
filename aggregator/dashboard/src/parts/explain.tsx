import { signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Action } from "../../../../shared/contracts/action.ts";
import { NONE, number, temperature } from "../format/numbers.ts";
import { dateTime } from "../format/time.ts";
import { changeText, KINDS, SOURCES } from "../format/words.ts";
import { href } from "../router.ts";
import { OutcomeBadge } from "../ui/badge.tsx";
import { Dialog } from "../ui/dialog.tsx";

const explained = signal<Action | null>(null);

/** Opens the explanation of an action, from wherever it is listed. */
export const explain = (action: Action): void => {
  explained.value = action;
};

type Input = Action["inputs"][string];
const celsius = (value: Input) => (typeof value === "number" ? temperature(value) : plain(value));
const sigmas = (value: Input) => (typeof value === "number" ? `${number(value, 1)}\u202fσ` : plain(value));
const milliseconds = (value: Input) =>
  typeof value === "number" ? `${number(value)}\u202fms` : plain(value);

/** How the numbers that decisions rest on are called, and how they read. */
const INPUTS: Record<string, { label: string; text: (value: Input) => string }> = {
  severity: { label: "Severity", text: words },
  emergency: { label: "Emergency", text: words },
  inlet_c: { label: "Inlet, on average", text: celsius },
  hottest_inlet_c: { label: "Inlet, hottest", text: celsius },
  inlet_z: { label: "Inlet above normal", text: sigmas },
  outlet_z: { label: "Outlet above normal", text: sigmas },
  d: { label: "D", text: plain },
  tau_fast: { label: "D, fast threshold", text: plain },
  mms_state: { label: "MMS", text: words },
  departure: { label: "Departure from what was learnt", text: words },
  predicted_inlet_c: { label: "Predicted inlet", text: celsius },
  predicted_latency_p95_ms: { label: "Predicted latency p95", text: milliseconds },
  predicted_d: { label: "Predicted D", text: plain },
};

function plain(value: Input): string {
  return typeof value === "number" ? number(value, 2) : words(value);
}

function words(value: Input): string {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? number(value) : value.replaceAll("_", " ");
}

const OUTCOMES: Record<Action["outcome"], string> = {
  applied: "The rack's agent has done it, and read the device back.",
  advised: "The mode was advisory, so that nothing was driven.",
  refused: "It was not done; the reason says why.",
  sent: "It is on its way; the rack's agent has not answered yet.",
};

/** Why an action was taken: what was seen, what was decided, what became of it. */
export function Explanation(): JSX.Element | null {
  const action = explained.value;
  if (!action) return null;
  const { id, ts, rack_id, source, kind, reason, outcome, inputs } = action;
  const entries = Object.entries(inputs);
  return (
    <Dialog
      title={`${SOURCES[source]}: ${changeText(action)}`}
      wide
      onClose={() => {
        explained.value = null;
      }}
    >
      <div class="explanation">
        <p>
          {rack_id ? <a href={href("racks", rack_id)}>{rack_id}</a> : "The site"}, {dateTime(ts)}:{" "}
          {KINDS[kind]}
        </p>
        <h3>Why</h3>
        <p>{reason}</p>
        {entries.length > 0 ? (
          <>
            <h3>What it rests on</h3>
            <dl class="facts">
              {entries.map(([name, value]) => (
                <div key={name}>
                  <dt>{INPUTS[name]?.label ?? name.replaceAll("_", " ")}</dt>
                  <dd>{(INPUTS[name]?.text ?? plain)(value)}</dd>
                </div>
              ))}
            </dl>
          </>
        ) : null}
        <h3>What became of it</h3>
        <p>
          <OutcomeBadge outcome={outcome} /> {OUTCOMES[outcome]}
        </p>
        <Saving action={action} />
        {source === "guardrail" ? (
          <p class="quiet">
            The guardrail decides on the rack itself. There, <code>skadi-agent explain {id}</code> decides it
            again.
          </p>
        ) : (
          <p class="quiet">
            Action <code>{id}</code>
          </p>
        )}
      </div>
    </Dialog>
  );
}

function Saving({ action }: { action: Action }): JSX.Element | null {
  const { predicted_saving_kw, realized_saving_kw } = action;
  if (predicted_saving_kw === undefined && realized_saving_kw === undefined) return null;
  const kw = (value: number | undefined) => (value === undefined ? NONE : `${number(value, 3)}\u202fkW`);
  return (
    <dl class="facts">
      <div>
        <dt>Predicted saving</dt>
        <dd>{kw(predicted_saving_kw)}</dd>
      </div>
      <div>
        <dt>Realized saving</dt>
        <dd>{kw(realized_saving_kw)}</dd>
      </div>
    </dl>
  );
}
