import type { MeasuredField } from "../../shared/contracts/telemetry.ts";

/** What one read of a rack's sensors gave. */
export interface SensorRead {
  /** When the values held, in milliseconds of the agent's clock. */
  at_ms: number;
  /** null: the sensor did not answer. `gpu_energy_j` is the energy since the previous read. */
  values: Record<MeasuredField, number | null>;
  /** Fields whose value is older than it should be, or that the device itself doubts; the others are good. */
  quality?: Partial<Record<MeasuredField, "stale" | "suspect">>;
}

/**
 * The one interface between the agent and a source of readings: the collector over the configured devices, or what
 * the program that embeds the agent brings (the simulator does).
 */
export interface SensorDriver {
  readonly name: string;
  open(): Promise<void>;
  /** Rejects when nothing could be read at all; a single silent sensor is a null value. */
  read(): Promise<SensorRead>;
  close(): Promise<void>;
}
