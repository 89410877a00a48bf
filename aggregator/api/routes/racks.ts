import * as z from "zod";
import { RackId } from "../../../shared/contracts/rack.ts";
import { RackDetail, RackHistory, RackSeries } from "../../../shared/contracts/rack-view.ts";
import { skadiError } from "../../../shared/errors.ts";
import type { Rack } from "../../fleet.ts";
import { rackDetail } from "../../racks/detail.ts";
import { rackSeries } from "../../racks/series.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";
import { Instant, instantMs, withinKept } from "../instant.ts";

const HOUR_MS = 3_600_000;
/** How far back a rack's history looks for actions. */
const HISTORY_MS = 7 * 24 * HOUR_MS;
const Params = z.object({ id: RackId });

export const rackRoutes: RouteGroup = (api, context) => {
  const { fleet, store, clock, config } = context;
  const find = (id: string): Rack => {
    const rack = fleet.get(id);
    if (!rack)
      throw skadiError("SKADI_NOT_FOUND", { field: "id", value: id, expected: "a rack of this site" });
    return rack;
  };
  api.get("/racks/:id", {
    schema: {
      tags: ["state"],
      summary: "One rack now: state, why, sensors, actuators, the model's bands",
      params: Params,
      response: { 200: RackDetail, "4xx": ErrorBody },
    },
    handler: async ({ params }) => {
      const { mode, quarantine, maintenance, rollouts, actions } = context;
      const rack = find(params.id);
      const model = rollouts.scorerOf(rack.rack_id)?.model ?? null;
      const { setpoints } = actions;
      const parts = { config, mode: mode.get(), model, setpoints, quarantine, maintenance };
      return rackDetail(rack, parts, clock.now());
    },
  });
  api.get("/racks/:id/series", {
    schema: {
      tags: ["state"],
      summary: "One rack's course as far as it is kept; the last hour by default",
      params: Params,
      querystring: z.object({ from: Instant.optional(), to: Instant.optional() }),
      response: { 200: RackSeries, "4xx": ErrorBody },
    },
    handler: async ({ params, query }) => {
      const { rack_id } = find(params.id);
      const to_ms = query.to === undefined ? clock.now() : instantMs(query.to);
      const from_ms = query.from === undefined ? to_ms - HOUR_MS : instantMs(query.from);
      if (from_ms >= to_ms) {
        const expected = "an instant before `to`";
        throw skadiError("SKADI_INVALID_FIELD", { field: "from", value: query.from, expected });
      }
      const kept = withinKept({ from_ms, to_ms }, clock.now(), config.store.rollup_days * 24 * HOUR_MS);
      return rackSeries(store, rack_id, kept.from_ms, kept.to_ms);
    },
  });
  api.get("/racks/:id/history", {
    schema: {
      tags: ["state"],
      summary: "Incidents that the rack was part of, and actions on it in the last seven days; newest first",
      params: Params,
      querystring: z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) }),
      response: { 200: RackHistory, "4xx": ErrorBody },
    },
    handler: async ({ params, query }) => {
      const { rack_id } = find(params.id);
      return {
        incidents: store.incidents.ofRack(rack_id, query.limit),
        actions: store.actions.ofRack(rack_id, clock.now() - HISTORY_MS, query.limit),
      };
    },
  });
};
