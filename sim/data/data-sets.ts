/** The described system's three data sets (design §4). */
export const DATA_SETS = {
  training_main: { hours: 168, tick_s: 60, purpose: "general training" },
  training_ims: { hours: 72, tick_s: 30, purpose: "IMS model training" },
  validation: { hours: 24, tick_s: 60, purpose: "model validation" },
} as const;

export type DataSetName = keyof typeof DATA_SETS;
export const DATA_SET_NAMES = Object.keys(DATA_SETS) as DataSetName[];

/** Every data set starts at this instant, so that the same seed gives the same bytes. */
export const DATA_SET_START_MS = Date.UTC(2025, 9, 11);
