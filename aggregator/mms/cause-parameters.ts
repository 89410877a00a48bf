import type { CauseParameters } from "./causes.ts";
export const CAUSE_PARAMETERS = {} as CauseParameters;
