import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RackDetail, RackSeries } from "../../shared/contracts/rack-view.ts";
import { isoTime } from "../../shared/time.ts";
import { NOMINAL_SAMPLE } from "../support/readings.ts";
import { type TestSite, testSite } from "./aggregator-harness.ts";

let site: TestSite;
const START_MS = Date.now() - 60_000;

beforeAll(async () => {
  site = await testSite();
  for (let seq = 1; seq <= 10; seq++) {
    const ts = isoTime(START_MS + seq * 5_000);
    const { status } = await site.post("/telemetry", {
      ...NOMINAL_SAMPLE,
      ...{ ts, rack_id: "R-C-07", seq, inlet_c: 20 + seq / 10 },
    });
    expect(status).toBe(200);
  }
});
afterAll(() => site.close());

describe("GET /racks/:id", () => {
  it("says how the rack is, what drives it, and where the model expects it to be", async () => {
    const { status, body } = await site.get("/racks/R-C-07");
    const detail = body as RackDetail;
    expect(status).toBe(200);
    expect(detail.rack).toMatchObject({ rack_id: "R-C-07", online: true, inlet_c: 21, state: "nominal" });
    expect(detail.rack.contributions.length).toBeGreaterThan(3);
    expect(detail).toMatchObject({ agent: null, sensors: [], departure: null, maintenance: [] });
    expect(detail.quality.inlet_c).toBe("good");
    expect(detail.model?.tau_persist).toBeGreaterThan(detail.model?.tau_fast ?? Number.POSITIVE_INFINITY);
    const [low, high] = detail.model!.bands.inlet_c!;
    expect(low).toBeLessThan(high);
    const fan = detail.actuators.find(({ target }) => target === "fan_rpm_pct");
    expect(fan).toMatchObject({ setpoint: null, min: 40, max: 100, changed_at: null, quarantined: null });
    expect(fan?.measured).toBe(NOMINAL_SAMPLE.fan_rpm_pct);
  });

  it("shows the maintenance that covers the rack, and no other", async () => {
    const to = isoTime(Date.now() + 3_600_000);
    await site.post("/maintenance", { row: "C", to, reason: "filters" }, { token: true });
    await site.post("/maintenance", { row: "D", to, reason: "tiles" }, { token: true });
    const { body } = await site.get("/racks/R-C-07");
    expect(body.maintenance).toMatchObject([{ row: "C", reason: "filters" }]);
  });

  it("a rack that has said nothing yet has no figures, and no false ones", async () => {
    const { body } = await site.get("/racks/R-A-01");
    expect(body.rack).toMatchObject({ state: "unknown", online: false, d: null, inlet_c: null });
    expect(body).toMatchObject({ quality: {}, cluster: null, interval_s: null });
  });

  it.each(["/racks/R-Z-01", "/racks/R-Z-01/series", "/racks/R-Z-01/history"])(
    "%s is unknown",
    async (path) => {
      const { status, body } = await site.get(path);
      expect([status, body.error.code]).toEqual([404, "SKADI_NOT_FOUND"]);
    },
  );
});

describe("GET /racks/:id/series", () => {
  it("is made of single samples with their scores and thresholds where the time is short", async () => {
    const from = START_MS + 10_000;
    const { body } = await site.get(`/racks/R-C-07/series?from=${from}&to=${from + 20_000}`);
    const series = body as RackSeries;
    expect(series.step_s).toBe(0);
    expect(series.ts_ms.map((ts_ms) => ts_ms - START_MS)).toEqual([15_000, 20_000, 25_000, 30_000]);
    expect(series.values.inlet_c).toEqual([20.3, 20.4, 20.5, 20.6]);
    expect(series.values.d.every((d) => d !== null && d > 0)).toBe(true);
    expect(series.tau_fast.every((tau) => tau !== null)).toBe(true);
    expect(series.state).toEqual(["nominal", "nominal", "nominal", "nominal"]);
  });

  it("is made of means where the time is long, in at most 720 steps", async () => {
    const now = Date.now();
    const { body } = await site.get(`/racks/R-C-07/series?from=${now - 30 * 86_400_000}&to=${now}`);
    expect(body.step_s).toBe(60 * 60);
    expect(body.ts_ms.length).toBeGreaterThan(0);
    expect(body.ts_ms.length).toBeLessThanOrEqual(2);
    expect(body.values.inlet_c[0]).toBeGreaterThan(20);
  });

  it("of all times there are begins where the site keeps something, and keeps nobody waiting", async () => {
    const begun_ms = performance.now();
    const { status, body } = await site.get("/racks/R-C-07/series?from=2000&to=2199");
    expect(status).toBe(200);
    expect(Date.now() - Date.parse(body.from)).toBeCloseTo(400 * 86_400_000, -5);
    expect(body.ts_ms.length).toBeGreaterThan(0);
    expect(performance.now() - begun_ms).toBeLessThan(5_000);
  });

  it("refuses a time that ends before it begins", async () => {
    const { status, body } = await site.get("/racks/R-C-07/series?from=2026-01-02&to=2026-01-01");
    expect([status, body.error.rejections[0].field]).toEqual([422, "from"]);
  });
});

describe("GET /racks/:id/history", () => {
  it("has the actions on this rack and the incidents that it was part of", async () => {
    const { status, body } = await site.get("/racks/R-C-07/history");
    expect([status, body]).toEqual([200, { incidents: [], actions: [] }]);
  });
});
