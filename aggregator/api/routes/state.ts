import { z } from "zod";
import { Mode } from "../../../shared/contracts/action.ts";
import { Limits } from "../../../shared/contracts/config.ts";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { MmsState, ScoreLevel } from "../../../shared/contracts/score.ts";
import { isoTime } from "../../../shared/time.ts";
import { HEATMAP_TYPES, type HeatmapType, liveHeatmap, pastHeatmap } from "../../heatmap.ts";
import { siteOverview } from "../../overview.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs } from "../instant.ts";
import { Overrides } from "./mode.ts";

const Condition = z.enum(["nominal", "transient", "persistent", "unknown"]);
const Share = z.object({ feature: z.string(), share: z.number() });
const Figure = z.number().nullable();

const RackSummary = z.object({
  rack_id: z.string(),
  row: z.string(),
  position: z.int(),
  online: z.boolean(),
  agent_online: z.boolean(),
  mode: Mode.describe("that holds for the rack: the kill switch is advisory"),
  agent_model_id: z.string().nullable(),
  ts: Timestamp.nullable(),
  state: Condition,
  d: Figure,
  tau_fast: Figure,
  tau_persist: Figure,
  level: ScoreLevel.nullable(),
  scored_by: z.enum(["agent", "aggregator"]).nullable(),
  mms_state: MmsState.nullable(),
  mms_ema: Figure,
  inlet_c: Figure,
  outlet_c: Figure,
  delta_t: Figure,
  pdu_kw: Figure,
  tokens_ps: Figure,
  latency_p95_ms: Figure,
  queue_depth: Figure,
  fan_rpm_pct: Figure,
  pump_rpm_pct: Figure,
  contributions: z.array(Share),
});

export const Overview = z.object({
  ts: Timestamp,
  site: z.string(),
  mode: Mode,
  kill_switch: z.boolean(),
  overrides: Overrides,
  model_id: z.string().nullable(),
  racks: z.object({
    total: z.int(),
    online: z.int(),
    nominal: z.int(),
    transient: z.int(),
    persistent: z.int(),
    unknown: z.int(),
  }),
  worst_rack: z
    .object({
      rack_id: z.string(),
      d: z.number(),
      tau_fast: z.number(),
      tau_persist: z.number(),
      state: Condition,
      contributions: z.array(Share),
    })
    .nullable(),
  kpis: z.object({
    wh_per_prompt: Figure,
    baseline_wh_per_prompt: z.number(),
    j_per_token: Figure,
    latency_p95_ms: Figure,
    latency_p95_max_ms: Figure,
    inlet_compliance_pct: Figure,
    energy_saved_pct: Figure.describe("of the last 24 h, as /savings measures it"),
    wh_below_baseline_pct: Figure.describe("energy per prompt against baseline_wh_per_prompt"),
    pdu_kw: z.number(),
    tokens_ps: z.number(),
  }),
  actions: z.int(),
  limits: Limits,
  rack_list: z.array(RackSummary),
});

const Heatmap = z.object({
  type: z.string(),
  unit: z.string(),
  ts: Timestamp,
  rows: z.array(z.string()),
  racks_per_row: z.int(),
  cells: z.array(
    z.object({
      rack_id: z.string(),
      row: z.string(),
      position: z.int(),
      value: Figure,
      state: Condition,
      online: z.boolean().optional(),
    }),
  ),
});

const heatmap_types = Object.keys(HEATMAP_TYPES) as [HeatmapType, ...HeatmapType[]];

export function currentOverview(context: ApiContext): z.infer<typeof Overview> {
  const { config, fleet, mode, rollout, store, clock } = context;
  const model_id = rollout.scorer()?.model.id ?? null;
  const actions = store.actions.count();
  const energy_saved_pct = context.savings.lastDay().estimate?.saved_pct ?? null;
  const parts = { config, fleet, mode: mode.get(), model_id, actions, energy_saved_pct };
  return siteOverview(parts, clock.now());
}

export const stateRoutes: RouteGroup = (api, context) => {
  api.get("/state/overview", {
    schema: {
      tags: ["state"],
      summary: "The site's figures and every rack's state",
      response: { 200: Overview, "4xx": ErrorBody },
    },
    handler: async () => currentOverview(context),
  });
  api.get("/heatmap", {
    schema: {
      tags: ["state"],
      summary: "One quantity of every rack, now or at an instant",
      querystring: z.object({ type: z.enum(heatmap_types).default("inlet"), ts: Instant.optional() }),
      response: { 200: Heatmap, "4xx": ErrorBody },
    },
    handler: async (request) => {
      const { type, ts } = request.query;
      const { fleet, store, clock, config } = context;
      const ts_ms = ts === undefined ? clock.now() : instantMs(ts);
      const cells =
        ts === undefined ? liveHeatmap(fleet, type, ts_ms) : pastHeatmap(fleet, store, type, ts_ms);
      const { unit } = HEATMAP_TYPES[type];
      return {
        type,
        unit,
        ts: isoTime(ts_ms),
        rows: config.rows,
        racks_per_row: config.racks_per_row,
        cells,
      };
    },
  });
};
