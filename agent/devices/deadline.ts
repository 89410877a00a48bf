import type { Clock } from "../../shared/time.ts";

/**
 * Runs a task that must not take longer than a device may.
 *
 * @param task is given a signal that is aborted at the deadline, to stop what it has begun
 * @param outer ends the task before its deadline; with one that is aborted already it is not begun
 * @returns what the task returns; rejects at the deadline, or with the reason of `outer`, whether or not the task obeys
 *   its signal
 */
export function withDeadline<T>(
  deadline_ms: number,
  clock: Clock,
  task: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    outer?.throwIfAborted();
    const giveUp = (reason: unknown) => {
      release();
      abort.abort(reason);
      reject(reason);
    };
    const cancel = clock.after(deadline_ms, () =>
      giveUp(new Error(`no answer within ${deadline_ms / 1000} s`)),
    );
    const onAbort = () => giveUp(outer?.reason);
    outer?.addEventListener("abort", onAbort, { once: true });
    const release = () => {
      cancel();
      outer?.removeEventListener("abort", onAbort);
    };
    task(abort.signal).then(resolve, reject).finally(release);
  });
}
