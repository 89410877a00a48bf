import type { FastifyInstance } from "fastify";
import * as z from "zod";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { reject } from "../../../shared/errors.ts";
import type { Plant } from "../../plant/plant.ts";

/** What the scheduler itself accepts: shares in percent, the batching window in ms. */
const RANGE = {
  routing_weight_pct: [0, 100],
  admission_pct: [0, 100],
  batch_window_ms: [0, 500],
} as const satisfies Partial<Record<RackTarget, readonly [number, number]>>;
type SchedulerTarget = keyof typeof RANGE;
const TARGETS = Object.keys(RANGE) as SchedulerTarget[];

const setting = (target: SchedulerTarget) =>
  z.number().min(RANGE[target][0]).max(RANGE[target][1]).nullable();
const Settings = z
  .strictObject({
    routing_weight_pct: setting("routing_weight_pct"),
    admission_pct: setting("admission_pct"),
    batch_window_ms: setting("batch_window_ms"),
  })
  .partial();

/** The request router of the serving fleet, as far as it concerns one rack; null gives a setting back to it. */
export function addScheduler(app: FastifyInstance, plant: Plant, rack_id: string, token: string): void {
  const read = () => ({
    rack_id,
    ...Object.fromEntries(TARGETS.map((target) => [target, plant.target(rack_id, target)])),
  });
  app.register(async (scope) => {
    scope.addHook("onRequest", async (request, reply) => {
      if (request.headers.authorization === `Bearer ${token}`) return;
      return reply.code(401).header("www-authenticate", "Bearer").send(reject("SKADI_UNAUTHORIZED"));
    });
    const url = "/v1/scheduler/racks/:rack_id";
    scope.addHook("preHandler", async (request, reply) => {
      const { rack_id: asked } = request.params as { rack_id?: string };
      if (asked !== rack_id) {
        return reply.code(404).send(reject("SKADI_NOT_FOUND", { field: "rack_id", value: asked }));
      }
    });
    scope.get(url, async () => read());
    scope.post(url, async (request, reply) => {
      const parsed = Settings.safeParse(request.body);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        return reply
          .code(422)
          .send(reject("SKADI_INVALID_FIELD", { field: issue?.path.join("."), expected: issue?.message }));
      }
      for (const target of TARGETS) {
        const value = parsed.data[target];
        if (value !== undefined) plant.setTarget(rack_id, target, value);
      }
      return read();
    });
  });
}
