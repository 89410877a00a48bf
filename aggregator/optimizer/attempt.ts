import type { Log } from "../../shared/log.ts";

/** Does what must not end anything else if it fails, such as the round for the other devices; whether it worked. */
export function attempt(log: Pick<Log, "error">, what: string, task: () => void): boolean {
  try {
    task();
    return true;
  } catch (error) {
    log.error({ err: error }, `${what} failed`);
    return false;
  }
}
