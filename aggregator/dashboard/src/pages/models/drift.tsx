import type { JSX } from "preact";
import type { DriftAnswer } from "../../../../../shared/contracts/answers.ts";
import type { DriftReport, RetrainingReport } from "../../../../../shared/contracts/drift.ts";
import { useQuery } from "../../data/query.ts";
import { number } from "../../format/numbers.ts";
import { FEATURE_LABELS } from "../../format/words.ts";
import { href } from "../../router.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";

const LEVELS: Record<DriftReport["level"], { tone: Tone; label: string }> = {
  none: { tone: "ok", label: "No drift" },
  moderate: { tone: "warn", label: "Some drift" },
  major: { tone: "bad", label: "Drifted" },
  unknown: { tone: "muted", label: "Too early to say" },
};

const SHOWN = 6;

/** Whether racks still run as the model learnt, and what retraining came to. */
export function Drift(): JSX.Element {
  const { data, error, reload } = useQuery<DriftAnswer>("/drift", {
    on: ["drift", "retraining"],
    every_ms: 60_000,
  });
  if (error) return <Problem error={error} retry={reload} />;
  if (!data) return <Loading />;
  const level = LEVELS[data.drift?.level ?? "unknown"];
  return (
    <Panel title="Drift" aside={<Badge tone={level.tone}>{level.label}</Badge>}>
      {data.drift ? (
        <Report drift={data.drift} />
      ) : (
        <p class="quiet">The model in force has not been checked yet; that takes some hours of operation.</p>
      )}
      {data.retraining ? <Retraining {...data.retraining} /> : null}
    </Panel>
  );
}

function Report({ drift }: { drift: DriftReport }): JSX.Element {
  const findings = drift.site.findings.slice(0, SHOWN);
  const most = Math.max(0.25, ...findings.map(({ psi }) => psi));
  return (
    <>
      {drift.summary.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <ul class="bars">
        {findings.map(({ quantity, psi, mean_before, mean_now }) => (
          <li key={quantity}>
            <span class="bar-name">
              {quantity === "d_ratio" ? "D" : (FEATURE_LABELS[quantity] ?? quantity)}
            </span>
            <meter min={0} max={most} value={psi} aria-label={`stability index ${number(psi, 2)}`} />
            <span class="bar-note">
              index {number(psi, 2)}, mean {number(mean_before, 2)} → {number(mean_now, 2)}
            </span>
          </li>
        ))}
      </ul>
      <p class="quiet">
        Checked <Time ts={drift.checked_at} form="date" />. From 0.1 an index is worth a look, from 0.25 a new
        model.
      </p>
    </>
  );
}

function Retraining({ at, summary, site, promoted }: RetrainingReport): JSX.Element {
  return (
    <>
      <h3>Last retraining</h3>
      <p>
        <a href={href("models", site.model_id)}>{site.model_id}</a>{" "}
        <Badge tone={site.offered ? "ok" : "muted"}>
          {promoted ? "Promoted" : site.offered ? "Offered" : "Not offered"}
        </Badge>
      </p>
      {summary.map((sentence) => (
        <p key={sentence} class="quiet">
          {sentence}
        </p>
      ))}
      <p class="quiet">
        <Time ts={at} form="date" />
      </p>
    </>
  );
}
