import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { Condition, Figure, Overview } from "../../../shared/contracts/overview.ts";
import { isoTime } from "../../../shared/time.ts";
import { HEATMAP_TYPES, type HeatmapType, liveHeatmap, pastHeatmap } from "../../heatmap.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs } from "../instant.ts";

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

export const stateRoutes: RouteGroup = (api, context) => {
  api.get("/state/overview", {
    schema: {
      tags: ["state"],
      summary: "The site's figures and every rack's state",
      response: { 200: Overview, "4xx": ErrorBody },
    },
    handler: async () => context.report.overview(),
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
