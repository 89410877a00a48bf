/** What the command line asks of a bench; each has its own defaults, and ignores what it has no use for. */
export interface BenchOptions {
  days?: number | undefined;
  seeds?: number[] | undefined;
  json?: boolean | undefined;
}
