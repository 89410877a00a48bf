import pc from "picocolors";
import { describe, expect, it } from "vitest";
import {
  actionColumns,
  approvalText,
  explanation,
  type Now,
  shortId,
} from "../../../aggregator/actions/action-text.ts";
import { table } from "../../../aggregator/cli/table.ts";
import type { Action } from "../../../shared/contracts/action.ts";
import { rackSummary } from "../../support/overview.ts";

const BARE = pc.createColors(false);
const ADVICE: Action = {
  v: 1,
  id: "23cd1b38-0000-4000-8000-000000000000",
  ts: "2026-01-31T12:00:00Z",
  rack_id: "R-C-09",
  source: "optimizer",
  kind: "optimize",
  target: "batch_window_ms",
  from: null,
  to: 20,
  mode: "advisory",
  outcome: "advised",
  reason: "batching window +20 ms: fewer, fuller batches",
  inputs: { predicted_inlet_c: 22.41234 },
  predicted_saving_kw: 0.0624,
};
const NOW: Now = {
  ts: "2026-01-31T12:02:00Z",
  mode: "closed_loop",
  kill_switch: false,
  rack: rackSummary("R-C-09"),
};

const steps = (action: Action, now: Now) =>
  explanation(action, now, BARE)
    .filter((line) => line.startsWith("→"))
    .map((line) => line.slice(2));

describe("an action, explained", () => {
  it("says who decided what, when, why, on which figures, and how things are now", () => {
    expect(explanation(ADVICE, NOW, BARE)).toEqual([
      "R-C-09: batch_window_ms auto → 20",
      "The optimizer decided this 2 min ago (2026-01-31 12:00:00Z), as optimize, in mode advisory.",
      "",
      "Why      batching window +20 ms: fewer, fuller batches",
      "Seen     predicted_inlet_c 22.412",
      "Outcome  Nothing was driven: it is advice.",
      "Saving   predicted 0.062 kW, realized – kW",
      "Now      nominal, D 1.20, inlet 22.4 °C, outlet 35.1 °C, 8.00 kW, p95 180 ms",
      "",
      "→ Have it driven, once: skadi-aggregator actions approve 23cd1b38",
    ]);
  });

  it("names what stands between advice and the device", () => {
    expect(steps(ADVICE, { ...NOW, mode: "advisory" })[0]).toContain("actions approve 23cd1b38");
    expect(steps(ADVICE, { ...NOW, kill_switch: true })).toEqual([
      "The kill switch is on: nothing can be approved. skadi-aggregator mode kill-switch off",
    ]);
    expect(steps(ADVICE, { ...NOW, ts: "2026-01-31T12:11:00Z" })[0]).toMatch(
      /^Too old to approve \(10 min\)/,
    );
    expect(steps(ADVICE, { ...NOW, ts: "2026-01-31T11:50:00Z" })[0]).toMatch(/^Dated ahead/);
  });

  it("sends to the rack's own journal for what its guardrail decided", () => {
    expect(steps({ ...ADVICE, source: "guardrail" }, NOW)[0]).toContain(`skadi-agent explain ${ADVICE.id}`);
  });
});

describe("an approval", () => {
  it.each([
    ["applied", "driven by the agent of R-C-09"],
    ["advised", "not driven: the agent of R-C-09, in mode advisory, has only taken note"],
    ["refused", "refused: batching window"],
    ["sent", "has not answered yet"],
  ] as const)("that ends as %s says so", (outcome, words) => {
    expect(approvalText({ ...ADVICE, outcome })).toContain(words);
  });
});

describe("a list of actions", () => {
  it("shows of an id what tells it from others", () => {
    expect(shortId(ADVICE.id)).toBe("23cd1b38");
    expect(shortId("R-C-01-1795528209288-52.1")).toBe("R-C-01-52.1");
  });

  it("keeps rack, outcome and change in 80 columns", () => {
    expect(table(actionColumns(BARE, Date.parse(NOW.ts)), [ADVICE], 80)).toEqual([
      "ID        TIME       RACK    OUTCOME  CHANGE                     WHY",
      "23cd1b38  12:00:00Z  R-C-09  advised  batch_window_ms auto → 20  batching windo…",
    ]);
    const [, next_day] = table(actionColumns(BARE, Date.parse(NOW.ts) + 86_400_000), [ADVICE], 80);
    expect(next_day).toContain("01-31 12:00Z");
  });
});
