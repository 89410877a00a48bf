import { InvalidArgumentError } from "commander";

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** An option parser for durations such as 90s, 30m, 2h and 1d, in milliseconds. */
export function durationOption(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  if (count === undefined) throw new InvalidArgumentError("expected a duration such as 90s, 30m, 2h or 1d");
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** An option parser for instants, in milliseconds since the epoch; one without a zone is of this machine's. */
export function instantOption(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError("expected an ISO 8601 instant such as 2026-01-31T12:00:00Z");
  return ms;
}
