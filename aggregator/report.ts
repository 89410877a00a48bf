import type { Action } from "../shared/contracts/action.ts";
import type { siteOverview } from "./overview.ts";

const TOP = 10;
const RECENT = 20;

/** The parts of the report that follow from the overview and the action log alone. */
export function siteReport(
  { rack_list, ...overview }: ReturnType<typeof siteOverview>,
  actions: readonly Action[],
  total: number,
) {
  const deviations = rack_list
    .flatMap(({ rack_id, d, tau_fast, state }) =>
      d === null || tau_fast === null ? [] : [{ rack_id, d, share_of_tau_fast: d / tau_fast, state }],
    )
    .sort((a, b) => b.d - a.d)
    .slice(0, TOP);
  const by_outcome: Record<string, number> = {};
  for (const { outcome } of actions) by_outcome[outcome] = (by_outcome[outcome] ?? 0) + 1;
  return {
    overview,
    deviations,
    persistent: rack_list.filter((rack) => rack.state === "persistent").map((rack) => rack.rack_id),
    actions: {
      total,
      by_outcome,
      predicted_saving_kw: sum(actions, (action) => action.predicted_saving_kw),
      realized_saving_kw: sum(actions, (action) => action.realized_saving_kw),
      recent: actions.slice(0, RECENT),
    },
  };
}

function sum(actions: readonly Action[], pick: (action: Action) => number | undefined): number {
  return actions.reduce((total, action) => total + (pick(action) ?? 0), 0);
}
