import * as z from "zod";
import { RackTarget } from "../../../shared/contracts/action.ts";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { RackId } from "../../../shared/contracts/rack.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Device = z.object({
  rack_id: RackId,
  target: RackTarget,
  since: Timestamp,
  reason: z.string(),
  action_id: z.string(),
});

export const quarantineRoutes: RouteGroup = (api, context) => {
  api.get("/quarantine", {
    schema: {
      tags: ["actions"],
      summary:
        "Devices that did not do what they were asked; nothing is asked of them until they are released",
      response: { 200: z.object({ devices: z.array(Device) }), "4xx": ErrorBody },
    },
    handler: async () => ({ devices: context.quarantine.list() }),
  });
  api.post("/quarantine/release", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["actions"],
      summary: "Lets a device be driven again, once someone has looked at it",
      security: TOKEN_SECURITY,
      body: z.object({ rack_id: RackId, target: RackTarget }),
      response: { 200: z.object({ released: Device }), "4xx": ErrorBody },
    },
    handler: async ({ body }) => ({ released: context.quarantine.release(body.rack_id, body.target) }),
  });
};
