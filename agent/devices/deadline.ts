import type { Clock } from "../../shared/time.ts";

/**
 * Runs a task that must not take longer than a device may.
 *
 * @param task is given a signal that is aborted at the deadline, to stop what it has begun
 * @returns what the task returns; rejects at the deadline whether or not the task obeys its signal
 */
export function withDeadline<T>(
  deadline_ms: number,
  clock: Clock,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(deadline_ms, () => {
      const late = new Error(`no answer within ${deadline_ms / 1000} s`);
      abort.abort(late);
      reject(late);
    });
    task(abort.signal).then(resolve, reject).finally(cancel);
  });
}
