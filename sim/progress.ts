import { SingleBar } from "cli-progress";

/** A progress bar on standard error, where that is a terminal; standard output stays free for results. */
export interface Progress {
  update(done: number): void;
  stop(): void;
}

const NO_PROGRESS: Progress = { update() {}, stop() {} };

export function progressBar(what: string, total: number, wanted: boolean): Progress {
  if (!wanted || !process.stderr.isTTY) return NO_PROGRESS;
  const format = `${what} {bar} {percentage} % | {eta} s left`;
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true });
  bar.start(total, 0);
  return {
    update: (done) => bar.update(done),
    stop: () => bar.stop(),
  };
}
