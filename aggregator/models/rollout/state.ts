import type { RolloutGate, RolloutView, RolloutWave } from "../../../shared/contracts/rollout.ts";
import type { Rejection } from "../../../shared/errors.ts";
import type { Tally } from "./tallies.ts";

export interface ModelRef {
  model_id: string;
  sha256: string;
}

/** A rack's answer to the model of a rollout. */
export interface Answer {
  ok: boolean;
  errors: Rejection[];
}

export interface Wave {
  racks: string[];
  state: RolloutWave["state"];
  offered_ms: number | null;
  /** The gates judge the time from here on. */
  soaking_ms: number | null;
  /** How often the gates were looked at. */
  looks: number;
}

/** Everything that a rollout must know after a crash; plain JSON. Instants are on the aggregator's clock. */
export interface RolloutState {
  id: string;
  model: ModelRef;
  /** What the racks run that do not have the model yet, and what they go back to. */
  base: ModelRef | null;
  gated: boolean;
  state: RolloutView["state"];
  by: string;
  reason: string;
  started_ms: number;
  ended_ms: number | null;
  waves: Wave[];
  answers: Record<string, Answer>;
  /** Each rack's own time before the present wave was offered. */
  baseline: Record<string, Tally>;
  /** After a roll-back: racks that had the model and have not said yet that they are back. */
  returning: string[];
  gates: RolloutGate[];
  story: { ts_ms: number; text: string }[];
}

/** What the site's racks should run: with the pins, all that a manifest is made from. */
export interface SiteModels {
  release: ModelRef | null;
  /** The site's model before `release`. */
  previous: ModelRef | null;
  /** The newest one, running or not. */
  rollout: RolloutState | null;
  /** Older ones, newest first. */
  past: RolloutState[];
}

export const NO_MODELS: SiteModels = { release: null, previous: null, rollout: null, past: [] };

/** Racks that a running, gated rollout has offered its model to, canary first. */
export function offeredRacks(rollout: RolloutState | null): { canary: string[]; wave: string[] } {
  if (rollout?.state !== "running" || !rollout.gated) return { canary: [], wave: [] };
  const offered = rollout.waves.map((wave) => (wave.state === "waiting" ? [] : wave.racks));
  return { canary: offered[0] ?? [], wave: offered.slice(1).flat() };
}

export const racksOf = (rollout: RolloutState): string[] => rollout.waves.flatMap((wave) => wave.racks);

export const acceptedOf = (rollout: RolloutState, racks: readonly string[]): string[] =>
  racks.filter((rack_id) => rollout.answers[rack_id]?.ok === true);

export const refusedOf = (rollout: RolloutState, racks: readonly string[]): string[] =>
  racks.filter((rack_id) => rollout.answers[rack_id]?.ok === false);
