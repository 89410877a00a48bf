const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Whether the optimizer pauses now so that its saving can be measured: blocks of `block_h` hours alternate, and each
 * block of the day is on every other day, so that hour, load and weather are alike on both sides.
 *
 * @param block_h 0: never; a divisor of 24
 */
export function isPaused(now_ms: number, block_h: number): boolean {
  if (block_h === 0) return false;
  const day = Math.floor(now_ms / DAY_MS);
  const block = Math.floor((now_ms - day * DAY_MS) / (block_h * HOUR_MS));
  return (block + day) % 2 === 0;
}
