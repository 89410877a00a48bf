import { createSolver } from "../../../aggregator/optimizer/lp.ts";
import { planPredictive } from "../../../aggregator/optimizer/predictive.ts";
import { createSiteObserver, NO_SETPOINTS } from "../../../aggregator/optimizer/site-observer.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import type { ModelFile } from "../../../shared/contracts/model.ts";
import { racksOf } from "../../../shared/contracts/rack.ts";
import { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { createScorer } from "../../../shared/ims/score.ts";
import { isoTime } from "../../../shared/time.ts";
import { createPlant } from "../../../sim/plant/plant.ts";
import { readWindow } from "../../../sim/site/window.ts";
import { START_MS } from "./hall.ts";
import { PLANNING } from "./policies.ts";

const LEARN_S = 480;
const WINDOW_S = 5;
const REPEATS = 7;
const RACKS_PER_ROW = 20;

export interface PlanTime {
  racks: number;
  /** The first plan builds the solver's basis, the others start from the last one's. */
  first_ms: number;
  median_ms: number;
  proposals: number;
  columns: number;
  status: string;
}

/** One plan for a site of this size, from models that have seen a few minutes of its plant. */
export async function planTime(racks: number, model: ModelFile): Promise<PlanTime> {
  const rows = Array.from({ length: Math.ceil(racks / RACKS_PER_ROW) }, (_, i) => rowName(i));
  const rack_ids = racksOf(rows, RACKS_PER_ROW).slice(0, racks);
  const plant = createPlant({ rack_ids, seed: 101, start_ms: START_MS + 11 * 3_600_000 });
  const observer = createSiteObserver(rack_ids, AggregatorConfig.parse({}));
  for (let s = 0; s < LEARN_S; s += WINDOW_S) {
    for (const [i, window] of readWindow(plant, rack_ids, WINDOW_S).entries()) {
      const about = { v: 1, ts: isoTime(plant.now_ms), rack_id: rack_ids[i]!, seq: s };
      const sample = TelemetrySample.parse({ ...about, ...window });
      observer.observe(rack_ids[i]!, sample, plant.now_ms, NO_SETPOINTS);
    }
  }
  const solve = await createSolver();
  const scorer = createScorer(model);
  const times: number[] = [];
  let made: ReturnType<typeof planPredictive> | undefined;
  for (let n = 0; n < REPEATS; n++) {
    const started = performance.now();
    made = planPredictive(
      {
        racks: rack_ids.map((rack_id) => ({
          ...observer.rack(rack_id, plant.now_ms)!,
          ...{ held: null, setpoints: NO_SETPOINTS, d_level: null },
        })),
        supply: { setpoint_c: observer.supply_setpoint_c, open: true },
        scorer,
        open: () => true,
      },
      PLANNING,
      solve,
    );
    times.push(performance.now() - started);
  }
  const [first_ms, ...rest] = times;
  return {
    racks,
    first_ms: first_ms!,
    median_ms: rest.sort((a, b) => a - b)[Math.floor(rest.length / 2)]!,
    proposals: made!.proposals.length,
    columns: made!.solver.columns,
    status: made!.solver.status,
  };
}

/** A, B … Z, AA, AB … */
function rowName(i: number): string {
  const letter = (n: number) => String.fromCharCode(65 + n);
  return i < 26 ? letter(i) : letter(Math.floor(i / 26) - 1) + letter(i % 26);
}
