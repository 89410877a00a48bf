import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import type { RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Head = z.object({ seq: z.int(), hash: z.string() });
const SignedHead = Head.extend({
  v: z.literal(1),
  site: z.string(),
  kind: z.enum(["checkpoint", "anchor"]),
  at: Timestamp,
  until: Timestamp.optional(),
  signature: z.string().optional(),
});

export const auditRoutes: RouteGroup = (api, context) => {
  api.get("/audit/head", {
    schema: {
      tags: ["actions"],
      summary: "The newest row of the action log's hash chain, and the last head that was signed",
      description:
        "Note it elsewhere: `skadi-aggregator actions verify --head <seq:hash>` holds the log to it.",
      response: {
        200: z.object({ head: Head.nullable(), checkpoint: SignedHead.nullable() }),
        "4xx": ErrorBody,
      },
    },
    handler: async () => ({ head: context.journal.head(), checkpoint: context.journal.lastCheckpoint() }),
  });
};
