import type { Log } from "../../shared/log.ts";

/** One device that cannot be served must not end the round for the others; whether it could. */
export function attempt(log: Pick<Log, "error">, what: string, task: () => void): boolean {
  try {
    task();
    return true;
  } catch (error) {
    log.error({ err: error }, `${what} failed`);
    return false;
  }
}
