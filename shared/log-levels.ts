/** Apart from log.ts, so that reading a configuration does not load the logger. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
