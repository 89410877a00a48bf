import type { RackTarget } from "../../shared/contracts/action.ts";
import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { actuatorDriver } from "../actuators/index.ts";
import { withDeadline } from "../devices/deadline.ts";
import { journalFile, openJournal } from "../journal.ts";
import { ordersOf } from "../standing-orders.ts";

/**
 * Leaves every driven target at least as cool as it is, after the agent ended, however it ended (systemd's
 * ExecStopPost). Drives nothing under a kill switch, also one that comes meanwhile, or where the agent was only
 * advising. Twice does no harm.
 *
 * Exit code 1 if a target could not be reached, or not in time.
 */
export async function failSafe(
  config: AgentConfig,
  options: { json?: boolean; timeoutS: number },
): Promise<void> {
  const clock = systemClock();
  const log = createLog("skadi-agent", config.log.level);
  const say = (outcome: string, driven: object, problem?: string) =>
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ outcome, driven, problem })}\n`
        : `${outcome}${problem ? `: ${problem}` : ""}${Object.keys(driven).length > 0 ? ` ${JSON.stringify(driven)}` : ""}\n`,
    );
  const orders = ordersOf(config, log);
  if (orders.mode() !== "closed_loop") {
    say(orders.killSwitch() ? "kill switch: nothing is driven" : "advisory: nothing was driven", {});
    return;
  }
  const actuators = actuatorDriver(config, clock, log);
  const driven: Partial<Record<RackTarget, number>> = {};
  /** A device that has not answered may have obeyed all the same. */
  const told = new Set<RackTarget>();
  const permit = (target: RackTarget) => {
    if (orders.mode() !== "closed_loop") throw new Error("no longer in closed loop");
    told.add(target);
  };
  let problem: string | undefined;
  try {
    await withDeadline(options.timeoutS * 1000, clock, (signal) =>
      actuators.failSafe({
        permit,
        signal,
        onDriven(target, value) {
          driven[target] = value;
        },
      }),
    );
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  keep(config, [...told]);
  say(problem ? "fail-safe incomplete" : "fail-safe", driven, problem);
  // A device that hangs would keep this process, and with it the service manager, waiting.
  process.exit(problem ? 1 : 0);

  /** What was driven here is the guardrail's to hand back at its next start. */
  function keep({ model, rack_id }: AgentConfig, targets: RackTarget[]): void {
    if (targets.length === 0) return;
    const journal = openJournal(journalFile({ model, rack_id }), log);
    journal.setOwned([...new Set([...journal.owned(), ...targets])]);
    journal.close();
  }
}
