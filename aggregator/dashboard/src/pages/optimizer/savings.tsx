import type { JSX } from "preact";
import type { Action } from "../../../../../shared/contracts/action.ts";
import { useQuery } from "../../data/query.ts";
import { number, percent } from "../../format/numbers.ts";
import { Panel } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";

interface SavingsAnswer {
  method: "switchback" | "matched_regression";
  estimate: {
    baseline_kwh: number;
    actual_kwh: number;
    saved_kwh: number;
    saved_pct: number;
    saved_pct_interval: [number, number];
  } | null;
  optimised_hours: number;
  warnings: string[];
}

/** What was saved against the unoptimised plant, and how surely; and whether promises were kept. */
export function Savings({ actions }: { actions: readonly Action[] }): JSX.Element {
  const { data, error, reload } = useQuery<SavingsAnswer>("/savings", { every_ms: 60_000 });
  return (
    <Panel title="Saved, last 24 h">
      {error ? <Problem error={error} retry={reload} /> : null}
      {data ? <Answer answer={data} /> : error ? null : <Loading />}
      <Promises actions={actions} />
    </Panel>
  );
}

function Answer({ answer }: { answer: SavingsAnswer }): JSX.Element {
  const { estimate, method, optimised_hours, warnings } = answer;
  if (!estimate)
    return (
      <>
        <p class="quiet">It cannot be told yet.</p>
        <Warnings warnings={warnings} />
      </>
    );
  const [low, high] = estimate.saved_pct_interval;
  return (
    <>
      <p class="big-figure">
        {percent(estimate.saved_pct, 1)} <span class="quiet">{number(estimate.saved_kwh, 1)} kWh</span>
      </p>
      <Interval low={low} high={high} middle={estimate.saved_pct} />
      <p class="quiet">
        95 % sure it is between {percent(low, 1)} and {percent(high, 1)}, over {number(optimised_hours, 1)}{" "}
        optimised hours,{" "}
        {method === "switchback" ? "against the hours between them" : "by matched regression"}.
      </p>
      <Warnings warnings={warnings} />
    </>
  );
}

function Warnings({ warnings }: { warnings: readonly string[] }): JSX.Element {
  return (
    <ul class="notes">
      {warnings.map((warning) => (
        <li key={warning}>{warning}</li>
      ))}
    </ul>
  );
}

const WIDTH = 300;
const HEIGHT = 34;

/** The estimate on its interval, with zero in sight: a saving that may be none must look so. */
function Interval({ low, high, middle }: { low: number; high: number; middle: number }): JSX.Element {
  const from = Math.min(0, low);
  const to = Math.max(0, high, from + 1);
  const margin = (to - from) * 0.08;
  const x = (value: number) => ((value - from + margin) / (to - from + 2 * margin)) * WIDTH;
  return (
    <svg
      class="interval"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Between ${percent(low, 1)} and ${percent(high, 1)}`}
    >
      <line class="interval-zero" x1={x(0)} x2={x(0)} y1="2" y2="22" />
      <text x={x(0)} y={HEIGHT - 1} text-anchor="middle">
        0
      </text>
      <line class="interval-range" x1={x(low)} x2={x(high)} y1="12" y2="12" />
      <circle cx={x(middle)} cy="12" r="5" />
    </svg>
  );
}

/** Of single changes: what was promised, what came of it. */
function Promises({ actions }: { actions: readonly Action[] }): JSX.Element | null {
  const judged = actions.filter(
    ({ predicted_saving_kw, realized_saving_kw }) =>
      predicted_saving_kw !== undefined && realized_saving_kw !== undefined,
  );
  if (judged.length === 0) return null;
  const sum = (of: (action: Action) => number | undefined) =>
    judged.reduce((total, action) => total + (of(action) ?? 0), 0);
  const predicted = sum((action) => action.predicted_saving_kw);
  const realized = sum((action) => action.realized_saving_kw);
  const most = Math.max(predicted, realized, 1e-9);
  return (
    <>
      <h3>Promised and kept, {judged.length} changes</h3>
      <ul class="bars">
        {[
          ["Predicted", predicted],
          ["Realized", realized],
        ].map(([name, value]) => (
          <li key={name}>
            <span class="bar-name">
              {name} {number(Number(value), 2)}&#8239;kW
            </span>
            <meter min={0} max={most} value={Math.max(0, Number(value))} aria-label={String(name)} />
          </li>
        ))}
      </ul>
    </>
  );
}
