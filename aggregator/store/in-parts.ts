import { setImmediate as nextTurn } from "node:timers/promises";
import { skadiError } from "../../shared/errors.ts";

/** Rack-minutes that are read at once: what others wait for. */
const PART = 10_000;
/** Long readings that may run and wait before no stranger's is taken any more. */
const WAITING_MAX = 8;

interface Steps {
  from_ms: number;
  to_ms: number;
  step_ms: number;
}

let running: Promise<unknown> = Promise.resolve();
let waiting = 0;

/**
 * Reads [from_ms, to_ms) of the rollups in parts, with a turn for everybody else in between. What does not fit one part
 * is read one reading after the other: parts of many would run in one turn.
 *
 * @param racks that have rows in each minute
 * @param read of from_ms to last_ms, both included
 */
export async function readInParts<T>(
  { from_ms, to_ms, step_ms }: Steps,
  racks: number,
  read: (from_ms: number, last_ms: number) => T[],
): Promise<T[]> {
  if (isShort({ from_ms, to_ms }, racks)) return read(from_ms, to_ms - 1);
  // Parts end where steps do, so that their results only need to be put one after the other.
  const steps = Math.max(1, Math.floor(PART / (racks * (step_ms / 60_000))));
  const readParts = async () => {
    const parts: T[][] = [];
    for (let at_ms = from_ms; at_ms < to_ms; ) {
      const end_ms = Math.min(to_ms, (Math.floor(at_ms / step_ms) + steps) * step_ms);
      parts.push(read(at_ms, end_ms - 1));
      at_ms = end_ms;
      await nextTurn();
    }
    return parts.flat();
  };
  waiting++;
  const mine = running.then(readParts).finally(() => waiting--);
  running = mine.catch(() => {});
  return mine;
}

/**
 * For whoever may be anybody: a crowd of long readings must not grow without end.
 *
 * @throws SkadiError SKADI_RATE_LIMITED where the range is long and too many wait already
 */
export function refuseCrowd(range: { from_ms: number; to_ms: number }, racks: number): void {
  if (waiting < WAITING_MAX || isShort(range, racks)) return;
  throw skadiError("SKADI_RATE_LIMITED", { expected: `≤ ${WAITING_MAX} long time ranges at a time` });
}

function isShort({ from_ms, to_ms }: { from_ms: number; to_ms: number }, racks: number): boolean {
  return (racks * (to_ms - from_ms)) / 60_000 <= PART;
}
