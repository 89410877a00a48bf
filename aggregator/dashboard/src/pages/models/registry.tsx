import type { JSX } from "preact";
import type { RegisteredModel } from "../../../../../shared/contracts/registry.ts";
import type { RolloutView } from "../../../../../shared/contracts/rollout.ts";
import { post } from "../../data/api.ts";
import { useQuery } from "../../data/query.ts";
import { number } from "../../format/numbers.ts";
import { href } from "../../router.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { confirm } from "../../ui/dialog.tsx";
import { PageHead, Panel } from "../../ui/panel.tsx";
import { Empty, Loading, Problem } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { attempt } from "../../ui/toast.tsx";
import { Drift } from "./drift.tsx";
import { Pins } from "./pins.tsx";
import { mayBePromoted, promote } from "./promote.tsx";
import { RolloutProgress } from "./rollout.tsx";

const STAGES: Record<RegisteredModel["stage"], { tone: Tone; label: string }> = {
  candidate: { tone: "info", label: "Candidate" },
  canary: { tone: "warn", label: "On canaries" },
  active: { tone: "ok", label: "Active" },
  retired: { tone: "muted", label: "Retired" },
};

export function StageBadge({ stage }: Pick<RegisteredModel, "stage">): JSX.Element {
  const { tone, label } = STAGES[stage];
  return (
    <Badge tone={tone} {...(stage === "active" && { shape: "dot" as const })}>
      {label}
    </Badge>
  );
}

export function Registry(): JSX.Element {
  const models = useQuery<{ active: string | null; models: RegisteredModel[] }>("/models", {
    on: ["model", "rollout", "registry"],
    every_ms: 15_000,
  });
  const rollouts = useQuery<{ rollouts: RolloutView[] }>("/rollouts", { on: ["rollout"], every_ms: 5_000 });
  const error = models.error ?? rollouts.error;
  const [newest, ...earlier] = rollouts.data?.rollouts ?? [];
  const reload = () => {
    models.reload();
    rollouts.reload();
  };
  return (
    <>
      <PageHead title="Models">{models.data ? <RollBack {...models.data} reload={reload} /> : null}</PageHead>
      {error ? <Problem error={error} retry={reload} /> : null}
      {newest ? <RolloutProgress rollout={newest} reload={reload} /> : null}
      <div class="rack-grid">
        <div class="rack-main">
          <Panel title="Registry">
            {models.data ? (
              <List models={models.data.models} reload={reload} />
            ) : error ? null : (
              <Loading lines={5} />
            )}
          </Panel>
          {earlier.length > 0 ? <Earlier rollouts={earlier} /> : null}
        </div>
        <div class="rack-side">
          <Drift />
          <Pins models={models.data?.models ?? []} />
        </div>
      </div>
    </>
  );
}

function RollBack({
  active,
  models,
  reload,
}: {
  active: string | null;
  models: readonly RegisteredModel[];
  reload: () => void;
}): JSX.Element | null {
  // Without one that has run before there is nothing to go back to.
  if (!models.some(({ stage }) => stage === "retired")) return null;
  const roll = async () => {
    const sure = await confirm({
      title: "Roll back?",
      text: `Every rack goes back, at once, to the model that ran before ${active ?? "this one"}. A rollout that is under way is halted.`,
      action: "Roll back",
      tone: "bad",
    });
    if (!sure) return;
    await attempt(() => post("/models/rollback", { reason: "by hand, from the dashboard" }), "Rolling back");
    reload();
  };
  return (
    <span class="beside">
      <button type="button" onClick={roll}>
        Roll back
      </button>
    </span>
  );
}

function List({ models, reload }: { models: readonly RegisteredModel[]; reload: () => void }): JSX.Element {
  if (models.length === 0)
    return (
      <Empty icon="model" title="There is no model yet.">
        Train one: <code>skadi-aggregator train</code>, or <code>POST /ims/train</code> from stored telemetry.
      </Empty>
    );
  const active = models.find(({ stage }) => stage === "active");
  return (
    <Table
      caption="Models, newest first"
      rows={models}
      rowKey={({ sha256 }) => sha256}
      columns={[
        {
          title: "Model",
          cell: ({ model_id, kind, lineage }) => (
            <>
              <a href={href("models", model_id)}>{model_id}</a>
              <span class="row-note">
                {kind}, {lineage.source}
                {lineage.parent_id ? ` to replace ${lineage.parent_id}` : ""}
              </span>
            </>
          ),
        },
        {
          title: "Learnt from",
          minor: true,
          cell: ({ lineage, created_at }) => (
            <>
              {lineage.data}
              <span class="row-note">
                {lineage.rows === null ? "" : `${number(lineage.rows)} rows, `}
                <Time ts={created_at} form="date" />
              </span>
            </>
          ),
        },
        {
          title: "Stage",
          cell: (model) => (
            <span class="stack">
              <StageBadge stage={model.stage} />
              <span class="answers">
                {mayBePromoted(model) ? (
                  <button
                    type="button"
                    aria-label={`Promote ${model.model_id}`}
                    onClick={async () => {
                      if (await promote(model)) reload();
                    }}
                  >
                    Promote
                  </button>
                ) : null}
                {active && active !== model ? (
                  <a href={href("models", active.model_id, "diff", model.model_id)}>Compare</a>
                ) : null}
              </span>
            </span>
          ),
        },
      ]}
    />
  );
}

const ENDS: Record<RolloutView["state"], { tone: Tone; label: string }> = {
  running: { tone: "info", label: "Running" },
  completed: { tone: "ok", label: "Completed" },
  rolled_back: { tone: "bad", label: "Rolled back" },
  superseded: { tone: "muted", label: "Superseded" },
};

export function RolloutBadge({ state }: Pick<RolloutView, "state">): JSX.Element {
  return <Badge tone={ENDS[state].tone}>{ENDS[state].label}</Badge>;
}

function Earlier({ rollouts }: { rollouts: readonly RolloutView[] }): JSX.Element {
  return (
    <Panel title="Earlier rollouts">
      <Table
        caption="Earlier rollouts, newest first"
        rows={rollouts.slice(0, 20)}
        rowKey={({ id }) => id}
        columns={[
          {
            title: "Model",
            cell: ({ model_id, started_at }) => (
              <>
                <a href={href("models", model_id)}>{model_id}</a>
                <span class="row-note">
                  <Time ts={started_at} form="date" />
                </span>
              </>
            ),
          },
          { title: "End", cell: ({ state }) => <RolloutBadge state={state} /> },
          { title: "Last word", minor: true, cell: ({ story }) => story.at(-1)?.text ?? "" },
        ]}
      />
    </Panel>
  );
}
