import type { JSX } from "preact";
import { PAGES } from "../pages/index.ts";
import { CONDITION_LOOKS, Shape } from "./badge.tsx";
import { Dialog } from "./dialog.tsx";

const MEANINGS: Record<string, string> = {
  nominal: "D lies below its fast threshold: as in training",
  transient: "D is over the fast threshold now; it may pass",
  persistent: "the deviation lasts: an incident says why",
  unknown: "no score yet, or no agent",
};

export function Help({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Help" onClose={onClose}>
      <h3>Keys</h3>
      <dl class="keys">
        {PAGES.filter(({ key }) => key).map(({ key, title }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{title}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd>
          </dt>
          <dd>from rack to rack on the floor plan</dd>
        </div>
        <div>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>open the rack</dd>
        </div>
        <div>
          <dt>
            <kbd>Home</kbd> <kbd>End</kbd>
          </dt>
          <dd>first and last rack of a row</dd>
        </div>
        <div>
          <dt>
            <kbd>?</kbd>
          </dt>
          <dd>this help</dd>
        </div>
      </dl>
      <h3>States of a rack</h3>
      <ul class="meanings">
        {Object.entries(CONDITION_LOOKS).map(([state, { tone, shape, label }]) => (
          <li key={state}>
            <span class={`tone-${tone}`}>
              <Shape name={shape} size={12} />
            </span>
            <span>
              <strong>{label}</strong>: {MEANINGS[state]}
            </span>
          </li>
        ))}
      </ul>
      <p class="quiet">
        D is the distance to the nearest cluster of nominal operation, in standard deviations.
      </p>
    </Dialog>
  );
}
