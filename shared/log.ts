import pino from "pino";
import pretty from "pino-pretty";
import type { LOG_LEVELS } from "./log-levels.ts";

export type Log = pino.Logger;

/**
 * One JSON line per event on stderr (readable text on a terminal), so that stdout stays free for results. Secrets that could reach a log
 * line by way of a configuration object are blanked.
 *
 * @param options.onError called for every line of level error or worse
 */
export function createLog(
  name: string,
  level: (typeof LOG_LEVELS)[number],
  options: { onError?: () => void } = {},
): Log {
  const redact = { paths: ["*.password", "*.token", "password", "token"], censor: "(secret)" };
  const hooks: pino.LoggerOptions["hooks"] = {
    logMethod(args, method, line_level) {
      if (line_level >= pino.levels.values.error!) options.onError?.();
      method.apply(this, args);
    },
  };
  const timestamp = pino.stdTimeFunctions.isoTime;
  const stream = process.stderr.isTTY ? pretty({ destination: 2, sync: true }) : pino.destination(2);
  return pino({ name, level, redact, timestamp, hooks }, stream);
}
