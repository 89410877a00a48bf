import { InvalidArgumentError } from "commander";
import { INSTANT_EXPECTED, instantMs } from "../api/instant.ts";

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ten years: what ends or begins so far from now is an instant still. */
const DURATION_MAX_MS = 3_650 * UNIT_MS.d;

/** An option parser for durations such as 90s, 30m, 2h and 1d, in milliseconds. */
export function durationOption(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  const ms = count === undefined ? Number.NaN : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (ms <= DURATION_MAX_MS) return ms;
  throw new InvalidArgumentError("expected a duration such as 90s, 30m, 2h or 1d, at most 3650d");
}

/** An option parser for instants, in milliseconds since the epoch; one without a zone is of this machine's. */
export function instantOption(text: string): number {
  const ms = instantMs(text.trim());
  if (Number.isNaN(ms)) throw new InvalidArgumentError(`expected ${INSTANT_EXPECTED}`);
  return ms;
}
