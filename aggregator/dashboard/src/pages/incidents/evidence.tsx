import type { JSX } from "preact";
import type { CauseVerdict } from "../../../../../shared/contracts/incident.ts";
import { share } from "../../format/numbers.ts";
import { CAUSES, causeText } from "../../format/words.ts";
import { evidenceText, sureText } from "../../parts/situation.tsx";

/** What it is likely to be, what else it could be, and what speaks for it. */
export function Evidence({ verdict }: { verdict: CauseVerdict }): JSX.Element {
  const { cause, causes, evidence } = verdict;
  const strongest = Math.max(1e-9, ...evidence.map(({ weight }) => Math.abs(weight)));
  return (
    <>
      <p class="verdict">
        <strong>{causeText(verdict)}</strong> <span class="quiet">{sureText(verdict.confidence)}</span>
      </p>
      <p>{CAUSES[cause].meaning}</p>
      <p class="advice">{CAUSES[cause].check}</p>
      <h3>What speaks for it, and against</h3>
      <ul class="bars">
        {evidence.map(({ name, value, unit, weight, against }) => (
          <li key={name}>
            <span class="bar-name">{evidenceText(name, value, unit)}</span>
            <meter
              class={weight >= 0 ? "for" : "against"}
              min={0}
              max={strongest}
              value={Math.abs(weight)}
              aria-label={`weight ${weight.toFixed(1)}`}
            />
            <span class="bar-note">
              {weight >= 0 ? "rather than" : "speaks rather for"} {against.replaceAll("_", " ")}
            </span>
          </li>
        ))}
      </ul>
      <h3>How likely each cause is</h3>
      <ul class="bars">
        {causes.slice(0, 4).map(({ cause: other, confidence }) => (
          <li key={other}>
            <span class="bar-name">{CAUSES[other].label}</span>
            <meter min={0} max={1} value={confidence} aria-label={share(confidence)} />
            <span class="bar-note">{share(confidence, confidence < 0.1 ? 1 : 0)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
