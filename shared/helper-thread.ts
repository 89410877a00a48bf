import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { type ResourceLimits, type Transferable, Worker } from "node:worker_threads";

/** A second thread with one job. */
export interface Helper<T> {
  /** What the module posts. */
  result(): Promise<T>;
  /** Ends the thread, done or not. */
  stop(): Promise<unknown>;
  /** Lets the process end before the thread does. */
  unref(): void;
}

/**
 * Runs a module in a second thread until it posts its result.
 *
 * @param module where it is, or CommonJS that is run as it stands
 * @param data the module's `workerData`, with what of it is moved to the thread
 * @param limits of memory; a thread that needs more ends without a result
 */
export function startHelper<T>(
  module: URL | string,
  data: unknown,
  transfer: Transferable[] = [],
  limits: ResourceLimits = {},
): Helper<T> {
  const worker = new Worker(module, {
    eval: typeof module === "string",
    workerData: data,
    transferList: transfer,
    env: threadEnv(),
    resourceLimits: limits,
  });
  const name = typeof module === "string" ? "the thread" : module;
  // Resolves to a failure instead of rejecting: whoever stops the thread early does not ask for its result.
  const outcome = new Promise<{ value: T } | { error: Error }>((resolve) => {
    worker.once("message", (value: T) => resolve({ value }));
    worker.once("error", (error) => resolve({ error }));
    worker.once("exit", () => resolve({ error: new Error(`${name} ended without a result`) }));
  });
  return {
    async result() {
      const ended = await outcome;
      if ("error" in ended) throw ended.error;
      return ended.value;
    },
    stop: () => worker.terminate(),
    unref: () => worker.unref(),
  };
}

/** A thread takes the compile cache from its environment alone; without it, loading takes twice as long. */
function threadEnv(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder ? { ...process.env, NODE_COMPILE_CACHE: dirname(folder) } : process.env;
}
