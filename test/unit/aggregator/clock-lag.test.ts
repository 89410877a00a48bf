import { describe, expect, it } from "vitest";
import { type ClockLag, nextLag } from "../../../aggregator/ingest/clock-lag.ts";

const NOW = Date.UTC(2026, 0, 15);
const MINUTE_S = 60;

/** What is known of a rack's clock after samples that were taken and arrived at these seconds. */
function lagsOf(samples: readonly { taken_s: number; came_s: number }[], interval_s = 5) {
  const lags: ClockLag[] = [];
  for (const { taken_s, came_s } of samples) {
    const at = { ts_ms: NOW + taken_s * 1000, received_ms: NOW + came_s * 1000, interval_s };
    lags.push(nextLag(lags.at(-1) ?? null, at));
  }
  return lags;
}

/** Live samples from a clock that is behind by so much. */
const live = (from_s: number, to_s: number, behind_s: number, interval_s = 5) =>
  Array.from({ length: (to_s - from_s) / interval_s }, (_, n) => {
    const came_s = from_s + n * interval_s;
    return { taken_s: came_s - behind_s, came_s };
  });

/** An outage of so long, and then everything that was taken meanwhile, `pace` times as fast as it was taken. */
function caughtUp(outage_s: number, pace: number, interval_s = 5) {
  const samples = [];
  for (let taken_s = 0; ; taken_s += interval_s) {
    const came_s = outage_s + taken_s / pace;
    if (came_s - taken_s < interval_s) return samples;
    samples.push({ taken_s, came_s });
  }
}

const steady = (lags: readonly ClockLag[]) => lags.some((lag) => lag.steady);

describe("a clock that is wrong", () => {
  it.each([3 * MINUTE_S, -3 * MINUTE_S, 50 * 365 * 86_400])(
    "by %d s is known after two minutes",
    (behind_s) => {
      expect(steady(lagsOf(live(0, 119, behind_s)))).toBe(false);
      expect(lagsOf(live(0, 130, behind_s)).at(-1)).toMatchObject({
        lag_ms: behind_s * 1000,
        steady: true,
        told_ms: behind_s * 1000,
      });
    },
  );

  it("is known in spite of jitter, and where samples come once a minute", () => {
    const jittered = live(0, 130, 180).map((s, n) => ({ ...s, came_s: s.came_s + (n % 4) * 2 }));
    expect(lagsOf(jittered).at(-1)!.steady).toBe(true);
    expect(steady(lagsOf(live(0, 660, 180, 60), 60))).toBe(false);
    expect(lagsOf(live(0, 900, 180, 60), 60).at(-1)!.steady).toBe(true);
  });

  it("is told once, again when it is further off, and when it is right again", () => {
    const lags = lagsOf([
      ...live(0, 300, 180),
      ...live(300, 600, 200),
      ...live(600, 900, 400),
      ...live(900, 1_200, 1),
    ]);
    const told = lags.map(({ told_ms }) => told_ms);
    expect(told.filter((value, n) => n > 0 && value !== told[n - 1])).toEqual([180_000, 400_000, null]);
  });
});

describe("a backlog after an outage", () => {
  it.each([1.2, 2, 10, 1_000])(
    "that comes %d times as fast as it was taken is never taken for a clock",
    (pace) => {
      for (const outage_s of [3 * MINUTE_S, 20 * MINUTE_S]) {
        expect(steady(lagsOf(caughtUp(outage_s, pace)))).toBe(false);
        expect(steady(lagsOf(caughtUp(outage_s, pace, 60), 60))).toBe(false);
      }
    },
  );

  it("of a rack whose clock was known to be wrong makes it unknown until it is live again", () => {
    const backlog = caughtUp(600, 10).map(({ taken_s, came_s }) => ({
      taken_s: taken_s + 120,
      came_s: came_s + 300,
    }));
    const lags = lagsOf([...live(0, 300, 180), ...backlog]);
    expect(lags.slice(60).some((lag) => lag.steady)).toBe(false);
  });

  it("is none where a writer sends its samples in batches, but its clock is not known either", () => {
    const batched = live(0, 600, 0).map((s) => ({ ...s, came_s: Math.ceil((s.taken_s + 1) / 60) * 60 }));
    expect(steady(lagsOf(batched))).toBe(false);
  });
});
