import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { Mode } from "../shared/contracts/action.ts";
import { parsePayload } from "../shared/contracts/parse.ts";
import type { Log } from "../shared/log.ts";

/** What the last accepted command said of mode and kill switch. */
const StandingOrders = z.object({ mode: Mode, kill_switch: z.boolean() });
export type StandingOrders = z.infer<typeof StandingOrders>;

/**
 * Mode and kill switch outlive a restart, network or not: a kill switch that a restart lifts is none.
 * Without a file, or with one that cannot be read, the configured mode holds; an unreadable file also means
 * advisory, because it may have held a kill switch.
 */
export function standingOrders(file: string, configured: Mode, log: Log) {
  let orders: StandingOrders = { mode: configured, kill_switch: false };
  if (existsSync(file)) {
    const parsed = parsePayload(StandingOrders, readFileSync(file));
    if (parsed.ok) orders = parsed.value;
    else {
      orders = { mode: "advisory", kill_switch: true };
      log.error({ event: "standing_orders_unreadable", file, rejections: parsed.rejections });
    }
  }
  return {
    /** What may be done now: the kill switch wins. */
    mode: (): Mode => (orders.kill_switch ? "advisory" : orders.mode),
    set(next: StandingOrders) {
      orders = next;
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(`${file}.tmp`, JSON.stringify(next));
        renameSync(`${file}.tmp`, file);
      } catch (error) {
        log.error({ event: "standing_orders_not_kept", file, err: error });
      }
    },
  };
}
