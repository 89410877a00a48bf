import type { JSX } from "preact";
import type { RackSummary } from "../../../../../shared/contracts/overview.ts";
import type { RackDetail } from "../../../../../shared/contracts/rack-view.ts";
import { number, percent, share, temperature, temperatureStep } from "../../format/numbers.ts";
import { FEATURE_LABELS } from "../../format/words.ts";
import { Badge } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";

/** Share of D² below which a feature explains nothing. */
const SHARE_MIN = 0.005;

const TEXTS: Record<string, (value: number) => string> = {
  inlet_c: temperature,
  outlet_c: temperature,
  delta_t: temperatureStep,
  pdu_kw: (value) => `${number(value, 1)}\u202fkW`,
  tokens_ps: (value) => number(value),
  latency_p95_ms: (value) => `${number(value)}\u202fms`,
  queue_depth: (value) => number(value),
  fan_rpm_pct: (value) => percent(value),
  pump_rpm_pct: (value) => percent(value),
};

/** What D is made of: each feature's share, and how far it is from where the model has it. */
export function Reasons({ rack, detail }: { rack: RackSummary; detail: RackDetail | null }): JSX.Element {
  const { d, tau_fast } = rack;
  // The live overview has the same shares, a moment earlier.
  const shares = rack.contributions.filter((item) => item.share >= SHARE_MIN);
  return (
    <Panel
      title="Why D is what it is"
      aside={
        d !== null && tau_fast !== null ? (
          <span class="quiet">
            D {number(d, 2)}, {number(d / tau_fast, 2)} × threshold
          </span>
        ) : null
      }
    >
      {shares.length === 0 ? <p class="quiet">No score yet.</p> : null}
      <ul class="shares">
        {shares.map((item) => (
          <li key={item.feature}>
            <span class="share-name">{FEATURE_LABELS[item.feature] ?? item.feature}</span>
            <span class="share-track" aria-hidden="true">
              <span class="share-bar" style={{ width: `${100 * item.share}%` }} />
            </span>
            <span class="share-figure">{share(item.share)}</span>
            <span class="share-note">{distanceText(rack, item.feature, detail)}</span>
          </li>
        ))}
      </ul>
      {detail?.departure ? (
        <p>
          <Badge tone="warn" shape="triangle">
            {detail.departure === "relations"
              ? "The quantities no longer fit each other"
              : "They moved together faster than ever"}
          </Badge>
        </p>
      ) : null}
    </Panel>
  );
}

/** `30.2 °C, 6.1 σ above` */
function distanceText(rack: RackSummary, feature: string, detail: RackDetail | null): string {
  const value = (rack as Record<string, unknown>)[feature];
  if (typeof value !== "number") return "";
  const text = TEXTS[feature]?.(value) ?? number(value, 1);
  const band = detail?.model?.bands[feature];
  if (!band) return text;
  // The band reaches two standard deviations to either side.
  const sigma = (band[1] - band[0]) / 4;
  const z = (value - (band[0] + band[1]) / 2) / sigma;
  return `${text}, ${Math.abs(z).toFixed(1)}\u202fσ ${z >= 0 ? "above" : "below"} the mean`;
}
