import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePayload, parseValue } from "../../../shared/contracts/parse.ts";
import { gpuPowerKw, TelemetrySample } from "../../../shared/contracts/telemetry.ts";

/** The example of the described system's documentation, which knows no v, seq or interval_s. */
const EXAMPLE = {
  ts: "2025-10-18T13:15:00Z",
  rack_id: "R-C-07",
  inlet_c: 27.5,
  outlet_c: 45.2,
  pdu_kw: 11.2,
  gpu_energy_j: 39200,
  tokens_ps: 11500,
  latency_p95_ms: 280,
  queue_depth: 95,
  fan_rpm_pct: 88,
  pump_rpm_pct: 75,
};

const parse = (value: unknown) =>
  parsePayload(TelemetrySample, Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
const first = (value: unknown) => {
  const result = parse(value);
  return result.ok ? undefined : result.rejections[0];
};

describe("a telemetry sample", () => {
  it("of the described system is accepted and completed", () => {
    const result = parse(EXAMPLE);
    expect(result.ok && result.value).toMatchObject({ v: 1, seq: Date.parse(EXAMPLE.ts), interval_s: 5 });
    expect(result.ok && gpuPowerKw(result.value)).toBeCloseTo(7.84, 12);
  });

  it("of a data set gets its interval from energy and power, so that its GPU power is in true kW", () => {
    const result = parse({ ...EXAMPLE, gpu_energy_j: 470_400, gpu_power_kw: 7.84, delta_t: 17.7 });
    expect(result.ok && result.value.interval_s).toBeCloseTo(60, 9);
  });

  it("of a data set with a tiny power keeps the default interval", () => {
    const result = parse({ ...EXAMPLE, gpu_power_kw: 1e-320 });
    expect(result.ok && result.value.interval_s).toBe(5);
  });

  it("may lack readings, if it says so by null", () => {
    const result = parse({ ...EXAMPLE, inlet_c: null, quality: { outlet_c: "suspect" } });
    expect(result.ok && result.value.quality).toMatchObject({
      inlet_c: "missing",
      outlet_c: "suspect",
      pdu_kw: "good",
    });
  });

  it.each([
    [{ ...EXAMPLE, inlet_c: "27.5" }, "SKADI_INVALID_FIELD", "inlet_c"],
    [{ ...EXAMPLE, inlet_c: undefined }, "SKADI_INVALID_FIELD", "inlet_c"],
    [{ ...EXAMPLE, inlet_c: 400 }, "SKADI_INVALID_FIELD", "inlet_c"],
    [{ ...EXAMPLE, fan_rpm_pct: -1 }, "SKADI_INVALID_FIELD", "fan_rpm_pct"],
    [{ ...EXAMPLE, rack_id: "rack 7" }, "SKADI_INVALID_FIELD", "rack_id"],
    [{ ...EXAMPLE, ts: "yesterday" }, "SKADI_INVALID_FIELD", "ts"],
    [{ ...EXAMPLE, ts: "9999-12-31T23:59:59-12:00" }, "SKADI_INVALID_FIELD", "ts"],
    [{ ...EXAMPLE, ts: "1970-01-01T00:00:00Z" }, "SKADI_INVALID_FIELD", "ts"],
    [{ ...EXAMPLE, interval_s: 1e-200 }, "SKADI_INVALID_FIELD", "interval_s"],
    [`{"inlet_c":${"[".repeat(60_000)}${"]".repeat(60_000)}}`, "SKADI_INVALID_FIELD", "(payload)"],
    [{ ...EXAMPLE, v: 2 }, "SKADI_UNSUPPORTED_VERSION", "v"],
    [{ ...EXAMPLE, v: "one" }, "SKADI_INVALID_FIELD", "v"],
    [JSON.stringify(EXAMPLE).replace("27.5", "NaN"), "SKADI_NOT_FINITE", "inlet_c"],
    [JSON.stringify(EXAMPLE).slice(0, 60), "SKADI_MALFORMED_JSON", "(payload)"],
    ["x".repeat(300_000), "SKADI_PAYLOAD_TOO_LARGE", "(payload)"],
    ["null", "SKADI_INVALID_FIELD", "(payload)"],
  ])("that is wrong (%#) is refused by field, value and expectation", (value, code, field) => {
    expect(first(value)).toMatchObject({ code, field });
    expect(first(value)?.expected).toBeTruthy();
  });

  it("names all its wrong fields at once", () => {
    const result = parse({ ...EXAMPLE, inlet_c: "hot", pdu_kw: true, queue_depth: [] });
    expect(!result.ok && result.rejections.map((r) => r.field)).toEqual(["inlet_c", "pdu_kw", "queue_depth"]);
  });

  it("never floods a rejection with a huge value", () => {
    expect(JSON.stringify(first({ ...EXAMPLE, rack_id: "R".repeat(100_000) })).length).toBeLessThan(600);
  });

  it("of arbitrary JSON is parsed or refused, never thrown at", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => typeof parseValue(TelemetrySample, value).ok === "boolean"),
    );
  });
});
