import type { Reporter, TestModule } from "vitest/node";

/** Ends the run with the one line that CI reads: `N passed, N failed`, and before it what was left out. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped: string[] = [];
    for (const module of modules) {
      if (module.children.size === 0 && module.state() === "failed") failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
        else skipped.push(test.fullName);
      }
    }
    // After the default reporter's own summary, whatever the order in which the two are called.
    process.on("exit", () => {
      for (const name of skipped) process.stdout.write(`SKIPPED: ${name}\n`);
      process.stdout.write(`${passed} passed, ${failed} failed\n`);
    });
  }
}
