import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { table } from "../../../../aggregator/cli/table.ts";
import {
  checkLines,
  retrainingLines,
  scopeColumns,
  scopesShown,
} from "../../../../aggregator/drift/drift-text.ts";
import type { DriftReport, DriftScope, RetrainingReport } from "../../../../shared/contracts/drift.ts";

const BARE = pc.createColors(false);
const SHA256 = "0".repeat(64);
const WARMER = {
  ...{ quantity: "inlet_c", psi: 1.131, by_chance: 0.01, level: "major" as const },
  ...{ mean_before: 21.42, mean_now: 22.51 },
};
const STEADY = { ...WARMER, quantity: "pdu_kw", psi: 0.02, level: "none" as const };

const scope = (changes: Partial<DriftScope>): DriftScope => ({
  ...{ scope: "rack", name: "R-A-01", level: "none", against: "baseline", hours: 24, rows: 1_440 },
  findings: [],
  ...changes,
});

const REPORT: DriftReport = {
  ...{ checked_at: "2026-03-07T00:00:00Z", from: "2026-03-06T00:00:00Z", to: "2026-03-07T00:00:00Z" },
  ...{ model_id: "ims_20260302_000000", sha256: SHA256, level: "major", major_in_a_row: 2 },
  summary: ["The site's operation shows major drift …"],
  ...{ excluded_share: 0.14, outside_share: 0 },
  site: scope({
    ...{ scope: "site", name: "site", level: "major", against: "model" },
    findings: [WARMER, STEADY],
  }),
  rows: [scope({ scope: "row", name: "A", level: "unknown" })],
  racks: [scope({}), scope({ name: "R-A-02", level: "moderate", findings: [WARMER] })],
};

const FIGURES = {
  ...{ false_alarms: 0, rack_days: 27, false_alarms_per_rack_day: 0, fast_share: 0.06, persist_share: 0.03 },
  ...{ anomalies_found: 0.95, incidents: { found: 0, of: 0 } },
};
const CANDIDATE = {
  ...{ model_id: "ims_20260307_000000", sha256: SHA256, scope: "site", rows: 360_000 },
  ...{ trained_from: "2026-03-05T12:00:00Z", trained_to: "2026-03-06T12:00:00Z" },
  ...{ figures: FIGURES, champion_id: REPORT.model_id, champion: FIGURES },
  ...{ offered: true, reason: "fewer false alarms" },
};
const RETRAINING: RetrainingReport = {
  ...{ at: "2026-03-07T00:01:00Z", trigger: "drift", promoted: false, excluded_share: 0.14 },
  held_back: { from: "2026-03-06T12:00:00Z", to: "2026-03-07T00:00:00Z" },
  ...{ site: CANDIDATE, unjudged: null, rows: [], summary: ["Candidate ims_20260307_000000 is offered."] },
};

const steps = (report: RetrainingReport, in_force: string | null) =>
  retrainingLines(report, in_force, BARE)
    .filter((line) => line.startsWith("→"))
    .map((line) => line.slice(2));

describe("a drift check, in text", () => {
  it("says how bad it is, of which model and when, and then its sentences", () => {
    expect(checkLines(REPORT, BARE)).toEqual([
      "■ major  ims_20260302_000000, 2 checks in a row",
      "2026-03-06 00:00:00Z to 2026-03-07 00:00:00Z, checked 2026-03-07 00:00:00Z",
      "The site's operation shows major drift …",
    ]);
  });

  it("lists the site, every row and the racks that drift, each with what drifts", () => {
    expect(table(scopeColumns(BARE), scopesShown(REPORT, false), Number.POSITIVE_INFINITY)).toEqual([
      "WHERE   DRIFT       AGAINST   HOURS  WHAT (INDEX, MEAN THEN → NOW)",
      "site    ■ major     model        24  inlet_c 1.13 (21.42 → 22.51)",
      "row A   ? unknown   baseline     24",
      "R-A-02  ▲ moderate  baseline     24  inlet_c 1.13 (21.42 → 22.51)",
    ]);
  });

  it("lists the other racks as well where that is asked for", () => {
    expect(scopesShown(REPORT, true).map(({ name }) => name)).toEqual(["site", "A", "R-A-01", "R-A-02"]);
  });

  it("keeps where, how bad and what in 50 columns", () => {
    const lines = table(scopeColumns(BARE), scopesShown(REPORT, false), 50);
    expect(lines[1]).toBe("site    ■ major        24  inlet_c 1.13 (21.42 → …");
  });
});

describe("a retraining, in text", () => {
  it("says when and why, and how to have its candidate rolled out", () => {
    expect(retrainingLines(RETRAINING, REPORT.model_id, BARE)).toEqual([
      "Last retraining  2026-03-07 00:01:00Z, because of drift",
      "Candidate ims_20260307_000000 is offered.",
      "→ skadi-aggregator models promote ims_20260307_000000 --watch",
    ]);
  });

  it("has nothing to ask for of one that is not offered, is on its way or in force", () => {
    expect(steps({ ...RETRAINING, site: { ...CANDIDATE, offered: false } }, null)).toEqual([]);
    expect(steps({ ...RETRAINING, promoted: true }, null)).toEqual([]);
    expect(steps(RETRAINING, CANDIDATE.model_id)).toEqual([]);
  });

  it("leaves the choice where there is a candidate with what nobody judged, too", () => {
    const unjudged = { ...CANDIDATE, model_id: "ims_20260307_000000_unjudged", racks: 66, share: 0.98 };
    const [first, second] = [CANDIDATE, unjudged].map(
      ({ model_id }) => `skadi-aggregator models promote ${model_id} --watch`,
    );
    expect(steps({ ...RETRAINING, unjudged }, REPORT.model_id)).toEqual([first, second]);
    expect(steps({ ...RETRAINING, unjudged, promoted: true }, REPORT.model_id)).toEqual([second]);
    expect(steps({ ...RETRAINING, unjudged }, unjudged.model_id)).toEqual([]);
  });

  it("names the pin of every row whose own model won", () => {
    const rows = [{ ...CANDIDATE, scope: "C", model_id: "ims_20260307_000000_row_C" }];
    expect(steps({ ...RETRAINING, rows }, CANDIDATE.model_id)).toEqual([
      "skadi-aggregator models pin C ims_20260307_000000_row_C",
    ]);
  });
});
