import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateSaving } from "../../../aggregator/savings/estimate.ts";
import { type EnergyInterval, INTERVAL_MS, toInterval } from "../../../aggregator/savings/interval.ts";
import { fitLeastSquares } from "../../../aggregator/savings/regression.ts";
import type { RackMinute } from "../../../aggregator/store/store.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";
import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import { type Random, seededRandom } from "../../../shared/random.ts";

const T0 = Date.UTC(2026, 0, 1);
const PER_DAY = 96;
const RACKS = 10;

interface Site {
  days: number;
  seed: number | string;
  /** Share of its energy that the optimizer saves where it drives. */
  saving: number;
  driven(k: number): boolean;
  /** Standard deviation of the mean rack power, kW, and how much of a deviation is left an interval later. */
  noise_kw?: number;
  persistence?: number;
  load?: (k: number, random: Random) => number;
}

const dayLoad = (k: number, random: Random) =>
  7_000 - 3_000 * Math.cos((2 * Math.PI * k) / PER_DAY) + 300 * random.normal();

/** A site whose energy follows load and hour, with noise that lasts. */
function record(site: Site): EnergyInterval[] {
  const { days, seed, saving, driven, noise_kw = 0.05, persistence = 0.8, load = dayLoad } = site;
  const random = seededRandom(seed);
  let noise = noise_kw * random.normal();
  return Array.from({ length: days * PER_DAY }, (_, k) => {
    noise = persistence * noise + Math.sqrt(1 - persistence ** 2) * noise_kw * random.normal();
    const tokens_ps = load(k, random);
    const weather_kw = 0.3 * Math.sin((2 * Math.PI * k) / PER_DAY);
    const unoptimised_kw = 2.5 + 0.8 * (tokens_ps / 1_000) + weather_kw + noise;
    const rack_hours = RACKS / 4;
    const kwh = unoptimised_kw * (driven(k) ? 1 - saving : 1) * rack_hours;
    return {
      ...{ start_ms: T0 + k * INTERVAL_MS, rack_hours, pdu_kwh: 0.8 * kwh, pump_kwh: 0.05 * kwh },
      ...{ cooling_kwh: 0.15 * kwh, tokens: tokens_ps * rack_hours * 3600 },
      ...{ driven_share: driven(k) ? 1 : 0, unoptimised: !driven(k) },
    };
  });
}

const judge = (intervals: EnergyInterval[], from = 0) => estimateSaving(intervals, intervals.slice(from));

describe("the saving against the unoptimised plant", () => {
  it("is found whatever it is, from a time before at other loads of the same range", () => {
    fc.assert(
      fc.property(fc.double({ min: -0.2, max: 0.3, noNaN: true }), fc.integer(), (saving, seed) => {
        const half = 3 * PER_DAY;
        const report = judge(record({ days: 6, seed, saving, driven: (k) => k >= half }), half);
        expect(report.method).toBe("matched_regression");
        expect(Math.abs(report.estimate!.saved_pct - 100 * saving)).toBeLessThan(1);
        expect(report.warnings).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("lies in its 95 % interval in nine of ten sites at least, though their noise lasts for hours", () => {
    let held = 0;
    for (let seed = 0; seed < 100; seed++) {
      const half = 3 * PER_DAY;
      const site = { days: 6, seed, saving: 0.1, driven: (k: number) => k >= half, persistence: 0.9 };
      const random = seededRandom(`load ${seed}`);
      const loads = Array.from({ length: 6 * PER_DAY }, (_, k) => dayLoad(k, random));
      const load = (k: number) => loads[k]!;
      const { estimate } = judge(record({ ...site, load }), half);
      // What the very same site, noise and all, would have used.
      const plain = record({ ...site, load, saving: 0 }).slice(half);
      const used = plain.reduce((sum, i) => sum + i.pdu_kwh + i.pump_kwh + i.cooling_kwh, 0);
      const true_kwh = 0.1 * used;
      const [low, high] = estimate!.saved_kwh_interval;
      if (low <= true_kwh && true_kwh <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(92);
  });

  it("is told as a switchback where the optimizer was off now and then", () => {
    const driven = (k: number) => Math.floor(k / PER_DAY) % 2 === 1;
    const report = judge(record({ days: 6, seed: 1, saving: 0.12, driven }));
    expect(report).toMatchObject({ method: "switchback", optimised_hours: 72 });
    expect(report.estimate!.saved_pct).toBeCloseTo(12, 0);
  });

  it("is not told from too little: nothing optimised, or hardly a baseline", () => {
    const never = judge(record({ days: 2, seed: 1, saving: 0.1, driven: () => false }));
    expect([never.estimate, never.warnings[0]]).toEqual([null, "nothing was optimised in this time"]);
    const soon = judge(record({ days: 2, seed: 1, saving: 0.1, driven: (k) => k >= 20 }));
    expect(soon.estimate).toBeNull();
    expect(soon.warnings[0]).toContain("5 h of unoptimised operation are known");
  });

  it("warns where loads or hours were never seen unoptimised", () => {
    const half = 3 * PER_DAY;
    const driven = (k: number) => k >= half;
    const load = (k: number, random: Random) => dayLoad(k, random) + (driven(k) ? 5_000 : 0);
    const beyond = judge(record({ days: 6, seed: 1, saving: 0.1, driven, load }), half);
    expect(beyond.training.coverage).toBeLessThan(0.7);
    expect(beyond.warnings.join()).toContain("not seen in training");
    const nights = record({ days: 6, seed: 1, saving: 0.1, driven: (k) => k % PER_DAY > 60 });
    const { warnings, training } = judge(nights);
    expect(training.hours_of_day).toBe(16);
    expect(warnings.join()).toContain("the load alone");
  });
});

describe("least squares", () => {
  it("gives back the coefficients of noiseless data", () => {
    const coefficient = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(coefficient, coefficient, coefficient, (a, b, c) => {
        const rows = Array.from({ length: 50 }, (_, t) => [1, t / 50, Math.sin(t)]);
        const fit = fitLeastSquares(
          rows,
          rows.map(([one, x, s]) => a * one! + b * x! + c * s!),
        );
        [a, b, c].forEach((value, i) => {
          expect(fit!.coefficients[i]).toBeCloseTo(value, 6);
        });
      }),
    );
  });

  it("refuses regressors that depend on each other, and too few rows", () => {
    const rows = Array.from({ length: 50 }, (_, t) => [1, t, 2 * t + 1]);
    expect(
      fitLeastSquares(
        rows,
        rows.map(() => 1),
      ),
    ).toBeNull();
    expect(fitLeastSquares([[1, 2]], [1])).toBeNull();
  });

  it("is less sure of a mean the longer its noise lasts", () => {
    const errorOf = (persistence: number) => {
      const random = seededRandom(3);
      let noise = 0;
      const y = Array.from({ length: 600 }, () => {
        noise = persistence * noise + Math.sqrt(1 - persistence ** 2) * random.normal();
        return noise;
      });
      const fit = fitLeastSquares(
        y.map(() => [1]),
        y,
      );
      return Math.sqrt(fit!.covariance[0]!);
    };
    // A mean of n correlated values has (1 + ρ) / (1 − ρ) times the variance: √19 for 0.9.
    expect(errorOf(0.9) / errorOf(0)).toBeGreaterThan(2.5);
  });
});

describe("an interval's energy", () => {
  const { savings } = AggregatorConfig.parse({});
  const state = { driven_share: 0, unoptimised: true, supply_c: savings.supply_c };
  const minute = (changes: Partial<Record<MeasuredField, number | null>> = {}): RackMinute => {
    const values: Partial<Record<MeasuredField, number | null>> = {
      ...{ inlet_c: 22, outlet_c: 36, pdu_kw: 8, tokens_ps: 8_000, fan_rpm_pct: 65, pump_rpm_pct: 50 },
      ...changes,
    };
    const mean = Object.fromEntries(MEASURED_FIELDS.map((f) => [f, values[f] ?? null])) as RackMinute["mean"];
    const rest = { samples: 12, max: mean, d_mean: null, d_max: null, energy_kwh: 0, tokens: 0 };
    return { rack_id: "R-A-01", minute_ms: T0, mean, ...rest };
  };
  const hourOf = (changes?: Parameters<typeof minute>[0], more = state) =>
    toInterval(
      T0,
      Array.from({ length: 60 }, () => minute(changes)),
      more,
      savings,
    )!;

  it("is the meter's, the pump's by the cube of its speed, and the heat's over the COP", () => {
    const { rack_hours, pdu_kwh, pump_kwh, cooling_kwh, tokens } = hourOf();
    expect(rack_hours).toBeCloseTo(1, 9);
    expect(pdu_kwh).toBeCloseTo(8, 9);
    expect(tokens).toBeCloseTo(8_000 * 3_600, 3);
    expect(pump_kwh).toBeCloseTo(0.35 / 8, 9);
    const air_kw = 0.43 * 0.65 * 14;
    const water_kw = 8 - air_kw + 0.35 / 8;
    const expected = air_kw / (4.5 * (1 + 0.025 * -0.6)) + water_kw / (11 * 1.125) + 0.14;
    expect(cooling_kwh).toBeCloseTo(expected, 9);
  });

  it("is less for warmer supply air, and counts only racks whose power and load are known", () => {
    expect(hourOf({}, { ...state, supply_c: 22 }).cooling_kwh).toBeLessThan(hourOf().cooling_kwh);
    expect(toInterval(T0, [minute({ tokens_ps: null })], state, savings)).toBeNull();
    expect(toInterval(T0, [minute(), minute({ pdu_kw: null })], state, savings)?.pdu_kwh).toBeCloseTo(
      8 / 60,
      9,
    );
  });
});
