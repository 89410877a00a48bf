import type { JSX } from "preact";
import type { ModelDetail } from "../../../../../shared/contracts/registry.ts";
import { useQuery } from "../../data/query.ts";
import { count, number, share } from "../../format/numbers.ts";
import { dateTime } from "../../format/time.ts";
import { FEATURE_LABELS } from "../../format/words.ts";
import { go, href } from "../../router.ts";
import { PageHead, Panel } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { Timeline } from "../../ui/timeline.tsx";
import { NotFound } from "../not-found.tsx";
import { mayBePromoted, promote } from "./promote.tsx";
import { StageBadge } from "./registry.tsx";

/** One model: where it came from, what it is, who runs it, what became of it. */
export function Detail({ id }: { id: string }): JSX.Element {
  const path = `/models/${encodeURIComponent(id)}`;
  const { data, error, reload } = useQuery<ModelDetail>(path, { on: ["model", "rollout"], every_ms: 15_000 });
  if (error?.status === 404) return <NotFound what="model" />;
  if (!data) return error ? <Problem error={error} retry={reload} /> : <Loading lines={8} />;
  const { lineage, stage, model_id } = data;
  return (
    <>
      <PageHead title={model_id}>
        <StageBadge stage={stage} />
        <span class="beside">
          <a href={href("models")}>All models</a>
          {mayBePromoted(data) ? (
            <button
              type="button"
              class="primary"
              onClick={async () => {
                if (await promote(data)) go("models");
              }}
            >
              Promote
            </button>
          ) : null}
        </span>
      </PageHead>
      <div class="rack-grid">
        <div class="rack-main">
          <Panel title="Where it came from">
            <dl class="facts">
              <Fact name="Source">{lineage.source}</Fact>
              <Fact name="Data">{lineage.data}</Fact>
              <Fact name="Period">
                {lineage.from && lineage.to
                  ? `${dateTime(lineage.from)} to ${dateTime(lineage.to)}`
                  : "not known"}
              </Fact>
              <Fact name="Rows">{number(lineage.rows)}</Fact>
              <Fact name="Hash of the data">
                <code>{lineage.data_sha256?.slice(0, 16) ?? "–"}</code>
              </Fact>
              <Fact name="Trained by">{lineage.code_version ? `Skadi ${lineage.code_version}` : "–"}</Fact>
              <Fact name="To replace">
                {lineage.parent_id ? (
                  <a href={href("models", lineage.parent_id)}>{lineage.parent_id}</a>
                ) : (
                  "–"
                )}
              </Fact>
              <Fact name="SHA-256">
                <code>{data.sha256.slice(0, 16)}</code>
              </Fact>
              {Object.entries(lineage.parameters)
                .filter(([name]) => name !== "kind")
                .map(([name, value]) => (
                  <Fact key={name} name={titled(name)}>
                    {parameterText(value)}
                  </Fact>
                ))}
            </dl>
            <p class="answers">
              {lineage.report ? <a href={`${path}/report`}>Training report</a> : null}
              <a href={`${path}/file`}>Model file</a>
            </p>
          </Panel>
          <Panel title="What became of it">
            <Timeline label="Stages, newest first" dated>
              {data.history.toReversed().map(({ ts, stage: to, by, reason }, index) => (
                <li key={data.history.length - index}>
                  <Time ts={ts} form="date" />
                  <span>
                    <strong>{to}</strong> by {by}
                    {reason ? <span class="row-note">{reason}</span> : null}
                  </span>
                </li>
              ))}
            </Timeline>
          </Panel>
        </div>
        <div class="rack-side">
          <Content detail={data} />
          <Panel title="Who runs it">
            {data.racks.length === 0 ? (
              <p class="quiet">No rack that is online.</p>
            ) : (
              <p>
                {count(data.racks.length, "rack")}:{" "}
                {data.racks.slice(0, 12).map((rack) => (
                  <span key={rack}>
                    <a href={href("racks", rack)}>{rack}</a>{" "}
                  </span>
                ))}
                {data.racks.length > 12 ? <span class="quiet">and others</span> : null}
              </p>
            )}
          </Panel>
        </div>
      </div>
    </>
  );
}

/** `trim_share` → `Trim share` */
function titled(name: string): string {
  const words = name.replaceAll("_", " ");
  return `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}`;
}

function parameterText(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name.replaceAll("_", " ")} ${String(part)}`)
    .join(", ");
}

function Fact({ name, children }: { name: string; children: JSX.Element | string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Content({ detail: { content, kind } }: { detail: ModelDetail }): JSX.Element {
  if (!content)
    return (
      <Panel title="What it is">
        <p class="tone-bad">Its file is gone, or was altered: it cannot be promoted.</p>
      </Panel>
    );
  const { tau_fast, tau_persist, training, features } = content;
  return (
    <Panel title="What it is">
      <dl class="facts">
        <Fact name="Kind">{kind}</Fact>
        <Fact name="Clusters">{number(training.clusters)}</Fact>
        <Fact name="tau fast">{number(tau_fast, 3)}</Fact>
        <Fact name="tau persist">{number(tau_persist, 3)}</Fact>
        <Fact name="Nominal rows">{`${number(training.nominal_rows)} (${share(training.nominal_rows / training.rows, 1)})`}</Fact>
        <Fact name="D in training">{`${number(training.mean_d, 2)} ± ${number(training.std_d, 2)}`}</Fact>
      </dl>
      <p class="quiet">{features.map((feature) => FEATURE_LABELS[feature] ?? feature).join(", ")}</p>
    </Panel>
  );
}
