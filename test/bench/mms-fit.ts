import {
  CAUSE_CLASSES,
  type CauseClass,
  type CauseParameters,
  type ClassParameters,
  compress,
  hasSign,
} from "../../aggregator/mms/causes.ts";
import { EVIDENCE, SIGNS } from "../../aggregator/mms/evidence.ts";
import type { Instance } from "./mms-day.ts";

/** Weighted moments per class; every fault counts alike, however long it was looked at and on however many racks. */
export function fitCauses(instances: readonly Instance[]): CauseParameters {
  return Object.fromEntries(
    CAUSE_CLASSES.map((name) => [name, fitClass(instances.filter(({ kind }) => kind === name))]),
  ) as Record<CauseClass, ClassParameters>;
}

function fitClass(instances: readonly Instance[]): ClassParameters {
  const moments = EVIDENCE.map((_, e) => {
    let weight = 0;
    let sum = 0;
    let square = 0;
    for (const { observed, weight: w } of instances) {
      const value = observed.values[e]!;
      if (Number.isNaN(value)) continue;
      weight += w;
      sum += w * compress(value);
      square += w * compress(value) ** 2;
    }
    const mean = weight > 0 ? sum / weight : 0;
    return { mean, std: weight > 0 ? Math.sqrt(Math.max(0, square / weight - mean * mean)) : 1 };
  });
  const total = instances.reduce((sum, { weight }) => sum + weight, 0);
  const share = (s: number) =>
    instances.reduce((sum, { observed, weight }) => sum + (hasSign(observed.signs[s]!) ? weight : 0), 0) /
    total;
  return {
    mean: moments.map(({ mean }) => round(mean)),
    std: moments.map(({ std }) => round(std)),
    sign_share: SIGNS.map((_, s) => round(share(s))),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

/** The module `aggregator/mms/cause-parameters.ts` with these parameters. */
export function parametersModule(parameters: CauseParameters, about: string): string {
  const lines = CAUSE_CLASSES.map((name) => {
    const { mean, std, sign_share } = parameters[name];
    return `  ${name}: {\n    mean: [${mean.join(", ")}],\n    std: [${std.join(", ")}],\n    sign_share: [${sign_share.join(", ")}],\n  },`;
  });
  return `import type { CauseParameters } from "./causes.ts";

/**
 * What each cause looks like, in the order of EVIDENCE and SIGNS. Written by \`npm run bench -- mms --fit\`:
 * ${about}.
 */
export const CAUSE_PARAMETERS: CauseParameters = {
${lines.join("\n")}
};
`;
}
