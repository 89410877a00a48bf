import type { RackTarget } from "../../shared/contracts/action.ts";

/** The one interface between the agent and what it may drive. */
export interface ActuatorDriver {
  readonly name: string;
  /** What this driver can drive; anything else is refused before it gets here. */
  readonly targets: readonly RackTarget[];
  /** Those of them whose device only holds what it is told: `null` cannot be written to them. */
  readonly without_own_control?: readonly RackTarget[];
  /** Which device drives a target; without it, one device drives all. */
  deviceOf?(target: RackTarget): string | undefined;
  /** The setpoint in force; null: the device's own automatic control. */
  read(target: RackTarget): Promise<number | null>;
  write(target: RackTarget, value: number | null): Promise<void>;
  /**
   * Leaves the rack at least as cool as it is now; called when the agent stops, whatever the reason.
   *
   * @param onDriven is told of every target that was driven for it
   */
  failSafe(onDriven?: (target: RackTarget, value: number) => void): Promise<void>;
  /** Lets go of connections; nothing is driven by it. */
  close(): Promise<void>;
}
