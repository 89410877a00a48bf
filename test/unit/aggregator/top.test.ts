import pc from "picocolors";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { plain } from "../../../aggregator/cli/text.ts";
import { type Link, report, screen } from "../../../aggregator/top/screen.ts";
import { firstView, type Key, pressed, type View, visibleRacks } from "../../../aggregator/top/view.ts";
import type { Overview } from "../../../shared/contracts/overview.ts";
import { hotRack, overviewOf, rackSummary } from "../../support/overview.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 10);
const BARE = pc.createColors(false);
const LIVE: Link = { up: true };

const hall = (rows: string, per_row: number) =>
  [...rows].flatMap((row) =>
    Array.from({ length: per_row }, (_, i) => rackSummary(`R-${row}-${String(i + 1).padStart(2, "0")}`)),
  );
const SITE = overviewOf([
  ...hall("AB", 12),
  hotRack("R-C-07"),
  rackSummary("R-C-08", { state: "transient", d: 2.1 }),
]);

const drawn = (overview: Overview, view: View, size = { columns: 80, rows: 24 }, link: Link = LIVE) =>
  screen({ overview, view, link, now_ms: NOW }, size, BARE);
const key = (name: string): Key =>
  name.length === 1
    ? { name: name.toLowerCase(), text: name, ctrl: false }
    : { name, text: undefined, ctrl: false };
/** What the view is after these keys. */
const afterKeys = (keys: readonly string[], view = firstView(), page = 10): View =>
  keys.reduce<View>((now, name) => pressed(now, key(name), SITE, page)!, view);
const ids = (view: View) => visibleRacks(SITE, view).map(({ rack_id }) => rack_id);

describe("the screen of top", () => {
  it("shows in 80 × 24 what is wrong, where and why, the worst first", () => {
    const incidents: Overview["incidents"] = [
      {
        ...{ id: "20260131T115800-00000001", scope: "rack", row: "C", status: "open", severity: "critical" },
        ...{
          title: "R-C-07: too hot",
          opened_at: "2026-01-31T11:58:00Z",
          maintenance: false,
          racks: ["R-C-07"],
        },
      } as Overview["incidents"][number],
    ];
    const { lines } = drawn({ ...SITE, incidents }, firstView());
    expect(lines).toHaveLength(24);
    expect(lines.slice(0, 8)).toEqual([
      "Skadi dc1   advisory   live   12:00:00Z   model ims_test",
      "26/26 online   ■ 1 persistent   ▲ 1 transient   ● 24 nominal   ○ 0 unknown",
      "0.612 Wh/prompt   576 kW   p95 190 ms   inlets in limit 98.6 %",
      "■ critical  R-C-07: too hot  open 12 min",
      "",
      "  RACK   STATE            D INLET  OUTLET    KW   P95   FAN PUMP WHY",
      "  R-C-07 ■ persistent  5.00  29.3!   35.1   8.0   320!   65   55 inlet 60 %, fa…",
      "  R-C-08 ▲ transient   2.10  22.4    35.1   8.0   180    65   55 inlet 50 %, p9…",
    ]);
    expect(lines.at(-2)).toBe("1–16 of 26   sort worst   all racks");
    expect(lines.at(-1)).toContain("q quit");
  });

  it("uses a wide terminal for what explains more", () => {
    const { lines } = drawn(SITE, firstView(), { columns: 160, rows: 50 });
    expect(lines[4]).toMatch(/D\/TAU .* QUEUE +TOK\/S +FAN PUMP MODE +WHY$/);
    expect(lines[5]).toMatch(/advisory +inlet 60 %, fan 25 %$/);
  });

  it.each([
    [40, 12],
    [80, 24],
    [160, 50],
    [220, 60],
  ])("is never larger than the terminal: %i × %i", (columns, rows) => {
    const many = Array.from({ length: 9 }, (_, i) => ({
      ...{
        id: `i-${i}`,
        scope: "site" as const,
        row: null,
        status: "open" as const,
        severity: "warning" as const,
      },
      ...{
        title: "Site: too hot, ".repeat(20),
        opened_at: "2026-01-31T11:58:00Z",
        maintenance: false,
        racks: [],
      },
    }));
    for (const keys of [[], ["?"], ["return"], ["/"], ["return", "?"]]) {
      const { lines } = drawn({ ...SITE, incidents: many }, afterKeys(keys), { columns, rows });
      expect(lines.length).toBe(rows);
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it("says that it is not live, since when and why, and keeps what it knew", () => {
    const link: Link = { up: false, reason: "the connection ended", since_ms: NOW - 42_000 };
    const { lines } = drawn(SITE, firstView(), { columns: 80, rows: 24 }, link);
    expect(lines[0]).toContain("NOT LIVE for 42 s");
    expect(lines[3]).toBe("the connection ended");
    expect(lines.join()).toContain("R-C-07");
  });

  it("shows the kill switch and closed loop", () => {
    const { lines } = drawn({ ...SITE, mode: "closed_loop", kill_switch: true }, firstView());
    expect(lines[0]).toContain("closed loop   KILL SWITCH ON");
  });

  it("says how many racks have another mode than the site, in a narrow terminal in short", () => {
    const overview = { ...SITE, overrides: { rows: { A: "closed_loop" as const }, racks: {} } };
    expect(drawn(overview, firstView()).lines[0]).toMatch(
      /^Skadi dc1 {3}advisory; 12 racks in closed loop {3}live /,
    );
    expect(drawn(overview, firstView(), { columns: 40, rows: 12 }).lines[0]).toBe(
      "Skadi dc1   advisory +12   live",
    );
    const killed = drawn({ ...overview, kill_switch: true }, firstView());
    expect(killed.lines[0]).toMatch(/^Skadi dc1 {3}advisory {3}KILL SWITCH ON/);
  });

  it("explains the selected rack with bars", () => {
    const { lines } = drawn(SITE, afterKeys(["return"]));
    const at = lines.findIndex((line) => line.startsWith("R-C-07  ■ persistent"));
    expect(lines.slice(at, at + 5)).toEqual([
      "R-C-07  ■ persistent",
      "D 5.00, tau_fast 2.00, tau_persist 2.40; MMS persistent, average D 1.10",
      "inlet   ████████████········ 60 %",
      "fan     █████··············· 25 %",
      "agent online, advisory, model ims_test",
    ]);
  });

  it("marks an unknown figure with a dash, and a rack that is gone", () => {
    const gone = rackSummary("R-A-01", { online: false, inlet_c: null, d: null, contributions: [] });
    const { lines } = drawn(overviewOf([gone]), firstView());
    expect(lines[5]).toMatch(/R-A-01 × offline +– +– /);
  });

  it("has the same words with colours and without", () => {
    const shown = { overview: SITE, view: afterKeys(["return"]), link: LIVE, now_ms: NOW };
    const size = { columns: 100, rows: 30 };
    const coloured = screen(shown, size, pc.createColors(true)).lines;
    expect(coloured.join()).toContain("\u001b[31m");
    expect(coloured.map((line) => plain(line).trimEnd())).toEqual(screen(shown, size, BARE).lines);
  });

  it("is printed whole, once, where there is no terminal", () => {
    const lines = report(
      { overview: SITE, view: firstView({ row: "C" }), link: LIVE, now_ms: NOW },
      Number.POSITIVE_INFINITY,
      BARE,
    );
    expect(lines.slice(-2).map((line) => line.slice(2, 8))).toEqual(["R-C-07", "R-C-08"]);
    expect(lines.join("\n")).toContain("MODE");
  });
});

describe("the keys of top", () => {
  it("quit with q and Ctrl-C", () => {
    expect(pressed(firstView(), key("q"), SITE, 10)).toBeNull();
    expect(
      pressed(firstView({ typing: true }), { name: "c", text: "\u0003", ctrl: true }, SITE, 10),
    ).toBeNull();
  });

  it("sort by the next and the previous quantity, and turn the order round", () => {
    expect(afterKeys(["s"]).sort).toBe("d");
    expect(afterKeys(["s", "S", "S"]).sort).toBe("fan");
    expect(ids(afterKeys(["s"]))[0]).toBe("R-C-07");
    expect(ids(afterKeys(["s", "r"])).at(-1)).toBe("R-C-07");
    expect(ids(firstView({ sort: "rack" }))[0]).toBe("R-A-01");
  });

  it("filter by row and by state", () => {
    expect(afterKeys(["w", "w"]).row).toBe("B");
    expect(ids(afterKeys(["w", "w", "w"]))).toEqual(["R-C-07", "R-C-08"]);
    expect(afterKeys(["w", "w", "w", "w"]).row).toBeNull();
    expect(ids(afterKeys(["t", "t"]))).toEqual(["R-C-07"]);
    expect(ids(afterKeys(["t", "t", "escape"]))).toHaveLength(26);
  });

  it("filter by what is typed, letters that are keys included", () => {
    const typing = afterKeys(["/", "c", "-", "0", "8", "q", "backspace"]);
    expect(typing).toMatchObject({ text: "c-08", typing: true });
    expect(ids(typing)).toEqual(["R-C-08"]);
    expect(afterKeys(["return"], typing).typing).toBe(false);
    expect(afterKeys(["escape"], typing)).toMatchObject({ text: "", typing: false });
  });

  it("select a rack, which stays on the screen and selected while racks change places", () => {
    const down = afterKeys(["down", "down", "end"]);
    expect(down.selected).toBe(ids(down).at(-1));
    const { view, lines } = drawn(SITE, down);
    expect(lines.some((line) => line.startsWith(`› ${down.selected}`))).toBe(true);
    expect(view.first).toBeGreaterThan(0);
    expect(afterKeys(["home"], view).selected).toBe("R-C-07");
    expect(afterKeys(["up"], firstView({ selected: "R-C-07" })).selected).toBe("R-C-07");
    expect(afterKeys(["pagedown"], firstView({ selected: "R-C-07" }), 5).selected).toBe(ids(firstView())[5]);
  });

  it("hold the picture, and close what is open before they undo the filter", () => {
    expect(afterKeys(["space"]).paused).toBe(true);
    const open = afterKeys(["w", "return", "?"]);
    expect(afterKeys(["escape"], open)).toMatchObject({ help: false, details: false, row: "A" });
  });
});
