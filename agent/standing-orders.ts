import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { Mode } from "../shared/contracts/action.ts";
import type { AgentConfig } from "../shared/contracts/agent-config.ts";
import { parsePayload } from "../shared/contracts/parse.ts";
import type { Log } from "../shared/log.ts";
import { writeWholeFile } from "../shared/whole-file.ts";

/** What the last accepted command said of mode and kill switch. */
const StandingOrders = z.object({ mode: Mode, kill_switch: z.boolean() });
export type StandingOrders = z.infer<typeof StandingOrders>;

export interface StandingOrdersOptions {
  file: string;
  configured: Mode;
  /** While it exists, nothing is driven. */
  kill_switch_file: string;
  log: Log;
  /** The kill switch file came or went. */
  onKillSwitch?: () => void;
}

/** The orders of one rack's agent, as its configuration places them. */
export function ordersOf(
  { rack_id, model, mode, guardrail }: AgentConfig,
  log: Log,
  onKillSwitch: () => void = () => {},
) {
  const file = join(model.cache_dir, `${rack_id}.orders.json`);
  const { kill_switch_file } = guardrail;
  return standingOrders({ file, configured: mode, kill_switch_file, log, onKillSwitch });
}

/**
 * Mode and kill switch outlive a restart and a power cut, network or not: a kill switch that these lift is none.
 * Without a file, or with one that cannot be read, the configured mode holds; an unreadable file also means
 * advisory, because it may have held a kill switch.
 */
export function standingOrders(options: StandingOrdersOptions) {
  const { file, log } = options;
  let orders: StandingOrders = { mode: options.configured, kill_switch: false };
  let kill_switch_seen = false;
  const unreadable = (why: object) => {
    orders = { mode: "advisory", kill_switch: true };
    log.error({ event: "standing_orders_unreadable", file, ...why });
  };
  try {
    const parsed = existsSync(file) ? parsePayload(StandingOrders, readFileSync(file)) : null;
    if (parsed?.ok) orders = parsed.value;
    else if (parsed) unreadable({ rejections: parsed.rejections });
  } catch (error) {
    unreadable({ err: error });
  }
  const killedByFile = () => {
    const { exists, reason } = look(options.kill_switch_file);
    if (exists !== kill_switch_seen) {
      kill_switch_seen = exists;
      log.warn({ event: "kill_switch_file", file: options.kill_switch_file, exists, reason });
      options.onKillSwitch?.();
    }
    return exists;
  };
  const killSwitch = () => killedByFile() || orders.kill_switch;
  return {
    /** What may be done now: the kill switch wins. Looks for the file each time. */
    mode: (): Mode => (killSwitch() ? "advisory" : orders.mode),
    killSwitch,
    set(next: StandingOrders) {
      orders = next;
      try {
        writeWholeFile(file, JSON.stringify(next));
      } catch (error) {
        log.error({ event: "standing_orders_not_kept", file, err: error });
      }
    },
  };
}

/** A place that may not be looked at may hold the file: then it counts as there. */
function look(file: string): { exists: boolean; reason?: string } {
  try {
    return { exists: statSync(file, { throwIfNoEntry: false }) !== undefined };
  } catch (error) {
    return { exists: true, reason: String(error) };
  }
}
