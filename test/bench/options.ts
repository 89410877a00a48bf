import { InvalidArgumentError } from "commander";

/** What the command line asks of a bench; each has its own defaults, and ignores what it has no use for. */
export interface BenchOptions {
  minutes?: number | undefined;
  days?: number | undefined;
  seeds?: number[] | undefined;
  fit?: boolean | undefined;
  agents?: number | undefined;
  json?: boolean | undefined;
  resume?: string | undefined;
}

/** `1-20` or `3,7`, or both. */
export function seedList(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!range) throw new InvalidArgumentError(`expected whole numbers such as 1-20 or 3,7, got ${text}`);
    const [first, last] = [Number(range[1]), Number(range[2] ?? range[1])];
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
}
