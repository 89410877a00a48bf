import type { RackTarget } from "../../shared/contracts/action.ts";

/** What whoever wants something written holds the driver to. */
export interface WriteTerms {
  /**
   * The driver asks it immediately before every attempt to tell a device something, retries too.
   *
   * @throws where the device must not be told (any more)
   */
  permit?(target: RackTarget): void;
  /** Ends the call with all its retries: nothing is written after it. */
  signal?: AbortSignal;
}

export interface FailSafeTerms extends WriteTerms {
  /** Told of every target that was driven. */
  onDriven?(target: RackTarget, value: number): void;
}

/** The one interface between the agent and what it may drive. */
export interface ActuatorDriver {
  readonly name: string;
  /** What this driver can drive; anything else is refused before it gets here. */
  readonly targets: readonly RackTarget[];
  /** Those of them whose device only holds what it is told: `null` cannot be written to them. */
  readonly without_own_control?: readonly RackTarget[];
  /** Which device drives a target; without it, one device drives all. */
  deviceOf?(target: RackTarget): string | undefined;
  /**
   * The setpoint in force; null: the device's own automatic control.
   *
   * @param signal ends the call with all its retries
   */
  read(target: RackTarget, signal?: AbortSignal): Promise<number | null>;
  write(target: RackTarget, value: number | null, terms?: WriteTerms): Promise<void>;
  /** Leaves the rack at least as cool as it is now; called when the agent stops, whatever the reason. */
  failSafe(terms?: FailSafeTerms): Promise<void>;
  /** Lets go of connections; nothing is driven by it. */
  close(): Promise<void>;
}
