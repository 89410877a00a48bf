import * as z from "zod";
import { Timestamp } from "./envelope.ts";

/** Something that happened, as it is kept and as it goes over the WebSocket. */
export const EventBody = z.object({
  id: z.string(),
  ts: Timestamp,
  type: z.string(),
  rack_id: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
});
