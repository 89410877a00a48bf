import type { RackTarget } from "../../shared/contracts/action.ts";

/**
 * One device that can be driven, as every driver in this folder makes it: a thin shell that knows its protocol.
 * Limits, steps, read-back, timeouts and fail-safe are the gate's and the composition's (drives.ts).
 */
export interface DriveDevice {
  readonly name: string;
  readonly targets: readonly RackTarget[];
  /** Those of them whose device only holds what it is told: `null` cannot be written to them. */
  readonly without_own_control?: readonly RackTarget[];
  /** Connects or prepares; called again after failures, so it must undo a half-open state itself. */
  open(): Promise<void>;
  /** The setpoint in force, in the target's unit; null: the device's own automatic control. */
  read(target: RackTarget, signal: AbortSignal): Promise<number | null>;
  /** @param permit was asked already; a driver that reads before it writes, or writes more than once, asks it again */
  write(
    target: RackTarget,
    value: number | null,
    signal: AbortSignal,
    permit?: (target: RackTarget) => void,
  ): Promise<void>;
  close(): Promise<void>;
}
