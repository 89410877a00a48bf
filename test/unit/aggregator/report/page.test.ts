import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModeState } from "../../../../aggregator/control/mode.ts";
import { createFleet } from "../../../../aggregator/fleet.ts";
import { siteOverview } from "../../../../aggregator/overview.ts";
import { judgesReport, type ReportContext } from "../../../../aggregator/report/judges.ts";
import { reportPage } from "../../../../aggregator/report/page.ts";
import { reportPeriod } from "../../../../aggregator/report/period.ts";
import { openSqliteStore } from "../../../../aggregator/store/sqlite/sqlite-store.ts";
import type { Store } from "../../../../aggregator/store/store.ts";
import { AggregatorConfig } from "../../../../shared/contracts/config.ts";
import type { MeasuredSaving, ReportIncident } from "../../../../shared/contracts/report.ts";
import { createLog } from "../../../../shared/log.ts";
import { isoTime } from "../../../../shared/time.ts";
import { HOSTILE, writeDay } from "../../../support/site-history.ts";

const NOW = Date.UTC(2026, 0, 2, 12);
const HOUR_MS = 3_600_000;

const measured: MeasuredSaving = {
  ...{ saving_kwh: 120, saving_pct: 8.5, low_pct: 6.1, high_pct: 10.9, confidence: 0.95 },
  method: "Matched by load and supply temperature.",
};
const incident: ReportIncident = {
  ...{ id: "I-1", opened_at: isoTime(NOW - 16 * HOUR_MS), closed_at: null, state: "open", scope: "row C" },
  ...{ racks: ["R-C-01", "R-C-02"], cause: "thermal_event", confidence: 0.93, summary: `hot ${HOSTILE}` },
};

const log = createLog("test", "silent");
const openStore = () => openSqliteStore(":memory:", { flush_ms: 60_000, log });
let store: Store;

beforeAll(() => {
  store = openStore();
  writeDay(store, NOW);
});

afterAll(() => {
  store.close();
});

/** A report of the day before `NOW`. */
function report(
  options: { store?: Store; sources?: Partial<ReportContext>; rows?: ModeState["overrides"]["rows"] } = {},
) {
  const config = AggregatorConfig.parse({});
  const fleet = createFleet(config, options.store ?? store);
  const mode = {
    mode: "advisory" as const,
    kill_switch: false,
    overrides: { rows: options.rows ?? {}, racks: {} },
  };
  const context: ReportContext = {
    ...{ config, fleet, store: options.store ?? store, ...options.sources },
    overview: () =>
      siteOverview(
        { config, fleet, mode, model_id: "ims_test", actions: 0, incidents: [], energy_saved_pct: null },
        NOW,
      ),
    thresholds: () => ({ tau_fast: 2, tau_persist: 2.5 }),
  };
  return judgesReport(context, reportPeriod({}, NOW), NOW);
}

describe("the report's page", () => {
  it("is one document without scripts and without anything from elsewhere", async () => {
    const page = reportPage(await report());
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<(script|img|iframe|object)|<[a-z][^>]* src=|url\(|@import/);
    expect(page.match(/<link[^>]*>/g)).toEqual(['<link rel="icon" href="data:,">']);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it("shows what came from outside as text", async () => {
    const page = reportPage(await report({ sources: { incidents: { between: () => [incident] } } }));
    expect(page).not.toContain(HOSTILE);
    expect(page).toContain("hot &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;");
    expect(page).toContain("inlet rose &lt;script&gt;");
  });

  it("gives every picture a title and a description, and every table a caption and heads", async () => {
    const page = reportPage(await report());
    const pictures = page.match(/<svg[\s\S]*?<\/svg>/g) ?? [];
    expect(pictures.length).toBe(9);
    for (const picture of pictures)
      expect(picture).toMatch(/^<svg[^>]*role="img"><title>[^<]+<\/title><desc>[^<]+<\/desc>/);
    const tables = page.match(/<table[\s\S]*?<\/table>/g) ?? [];
    expect(tables.length).toBe(6);
    for (const table of tables)
      expect(table).toMatch(/^<table><caption>[^<]+<\/caption><thead><tr><th scope="col"/);
  });

  it("has the measured saving with its interval, and the incidents, where somebody knows them", async () => {
    const sources = { savings: { measured: () => measured }, incidents: { between: () => [incident] } };
    const page = reportPage(await report({ sources }));
    expect(page).toContain("120 kWh, 8.50 % (95.0 % interval 6.10 … 10.9 %). Matched by load");
    expect(page).toContain("1 in the period, 1 of them still open. Causes: 1 thermal_event.");
  });

  it("says how many racks have a mode of their own", async () => {
    expect(reportPage(await report())).toContain("<dd>advisory</dd>");
    expect(reportPage(await report({ rows: { C: "closed_loop" } }))).toContain(
      "<dd>advisory; 12 racks in closed loop</dd>",
    );
  });

  it("says so where nobody does", async () => {
    const page = reportPage(await report());
    expect(page).toContain("No incidents are kept on this site.");
    expect(page).toContain("No saving was measured against a baseline");
  });

  it("of a site without any data says so, section by section", async () => {
    const empty = openStore();
    const page = reportPage(await report({ store: empty }));
    empty.close();
    for (const words of ["No rack was scored", "no telemetry of this period", "No action of the period"]) {
      expect(page).toContain(words);
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("writes instants in the time zone that it is given", async () => {
    const page = reportPage(await report(), { timezone: "Asia/Tokyo" });
    expect(page).toContain("<h1>Site dc1, 2026-01-01 21:00 – 2026-01-02 21:00</h1>");
  });
});
