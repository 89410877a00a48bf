import * as z from "zod";
import type { Mode } from "./action.ts";
import { Timestamp } from "./envelope.ts";

/** Something that happened, as it is kept and as it goes over the WebSocket. */
export const EventBody = z.object({
  id: z.string(),
  ts: Timestamp,
  type: z.string(),
  rack_id: z.string().nullable(),
  data: z
    .record(z.string(), z.unknown())
    .describe(
      "by type; of `mode` the site's state {mode, kill_switch, overrides} and what of it was changed: changed {mode (null: follows the site again), kill_switch, scope ({row} or {rack_id}; without it the site)}",
    ),
});

/** Whose mode is meant. */
export type ModeScope = { row: string } | { rack_id: string };

/** What was asked for when a mode or the kill switch changed. */
export interface ModeChange {
  /** null removes the mode of the scope's own. */
  mode?: Mode | null;
  kill_switch?: boolean;
  /** Without it, the site's mode is meant. */
  scope?: ModeScope | undefined;
}
