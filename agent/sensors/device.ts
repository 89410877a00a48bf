/** Two ages of one message, each reckoned from its own now, differ by rounding only. */
export const SAME_INSTANT_MS = 0.5;

/** What one point of a device said. */
export interface PointReading {
  /** Raw numbers, one per outlet, probe or instance that the point stands for; null: this one is silent. */
  values: readonly (number | null)[];
  /** The device itself says that the value is in doubt. */
  suspect?: boolean;
  /** Why some or all are silent, for the log. */
  reason?: string;
  /** How long ago the value held, where the device says so; else it is taken as of now. */
  age_ms?: number;
}

/**
 * One device that can be read, as every driver in this folder makes it: a thin shell that knows its protocol.
 * Units, aggregation, timeouts, retries and staleness are the collector's.
 */
export interface SensorDevice {
  readonly name: string;
  /** Connects or prepares; called again after failures, so it must undo a half-open state itself. */
  open(): Promise<void>;
  /**
   * One reading per configured point, in the order of the configuration.
   *
   * @param signal aborted when the answer comes too late to be of use
   * @throws when the device could not be read at all; a single silent point is a null value
   */
  read(signal: AbortSignal): Promise<readonly PointReading[]>;
  close(): Promise<void>;
}
