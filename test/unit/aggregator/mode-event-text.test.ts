import { describe, expect, it } from "vitest";
import { modeEventText } from "../../../aggregator/control/mode-event-text.ts";
import { siteModeText } from "../../../aggregator/control/site-mode-text.ts";
import { advisoryText } from "../../../aggregator/dashboard/src/parts/advisory.ts";
import type { ModeChange } from "../../../shared/contracts/event.ts";

const NONE = { rows: {}, racks: {} };
const RACKS = ["R-A-01", "R-A-02", "R-C-01", "R-C-02"].map((rack_id) => ({ rack_id }));

describe("an event of the mode", () => {
  const told = (changed: ModeChange, kill_switch = false) =>
    modeEventText({
      rack_id: null,
      data: { mode: "advisory", kill_switch, overrides: { rows: { C: "closed_loop" }, racks: {} }, changed },
    });

  it.each<[string, ModeChange]>([
    ["the site: closed loop", { mode: "closed_loop" }],
    ["row C: closed loop", { mode: "closed_loop", scope: { row: "C" } }],
    ["rack R-A-01: advisory", { mode: "advisory", scope: { rack_id: "R-A-01" } }],
    ["row C follows the site again", { mode: null, scope: { row: "C" } }],
    ["rack R-A-01 follows its row again", { mode: null, scope: { rack_id: "R-A-01" } }],
    ["kill switch off: what the modes say holds", { kill_switch: false }],
  ])("says what was changed, not the site's mode: %s", (text, changed) => {
    expect(told(changed)).toBe(text);
  });

  it("says of the kill switch what it does, and of a change under it that it stays on", () => {
    expect(told({ kill_switch: true }, true)).toBe("kill switch on: nothing is driven");
    expect(told({ mode: null, scope: { row: "C" } }, true)).toBe(
      "row C follows the site again; the kill switch stays on",
    );
    expect(told({ mode: "advisory", kill_switch: false })).toBe(
      "the site: advisory; kill switch off: what the modes say holds",
    );
  });

  it("from before changes were kept tells the state, and of a rack its own mode", () => {
    const old = (rack_id: string | null, data: object) => modeEventText({ rack_id, data: { ...data } });
    const state = { mode: "advisory", kill_switch: false, overrides: NONE };
    expect(old(null, { mode: "closed_loop" })).toBe("the site: closed loop");
    expect(old(null, { ...state, kill_switch: true })).toBe(
      "the site: advisory; kill switch on: nothing is driven",
    );
    const overrides = { rows: { C: "closed_loop" }, racks: { "R-A-01": "closed_loop" } };
    expect(old(null, { ...state, overrides })).toBe(
      "the site: advisory; rows and racks of their own mode: 2",
    );
    expect(old("R-A-01", { ...state, overrides })).toBe("rack R-A-01: closed loop");
    expect(old("R-A-02", { ...state, overrides })).toBe("rack R-A-02 follows its row again");
  });
});

describe("the mode of the site in words", () => {
  it("counts the racks that have another, by their own mode or by their row's", () => {
    const text = (mode: "advisory" | "closed_loop", overrides: object) =>
      siteModeText({ mode, overrides: { ...NONE, ...overrides } }, RACKS);
    expect(text("advisory", {})).toBe("advisory");
    expect(text("advisory", { rows: { C: "closed_loop" } })).toBe("advisory; 2 racks in closed loop");
    expect(text("closed_loop", { rows: { C: "closed_loop" }, racks: { "R-A-01": "advisory" } })).toBe(
      "closed loop; 1 rack in advisory",
    );
  });
});

describe("what an incident says of the mode", () => {
  it("goes by its own racks: driven ones are not called advisory", () => {
    expect(advisoryText(["closed_loop", "closed_loop"])).toBeNull();
    expect(advisoryText(["advisory"])).toBe("Advisory: drives nothing by itself, and says what it would do.");
    expect(advisoryText(["advisory", "closed_loop", "closed_loop"])).toBe(
      "Advisory on 1 of 3 racks: drives nothing by itself there, and says what it would do.",
    );
  });
});
