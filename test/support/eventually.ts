/** Polls until `probe` gives something truthy; fails with the last error or value after the deadline. */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadline_ms = 10_000,
): Promise<NonNullable<T>> {
  const started = performance.now();
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() - started > deadline_ms) {
      throw new Error(`not within ${deadline_ms} ms: ${what} (last: ${String(last)})`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
