import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { modeControl, modeOf } from "../../../aggregator/control/mode.ts";
import { eventBus } from "../../../aggregator/events.ts";
import { createFleet } from "../../../aggregator/fleet.ts";
import { openSqliteStore } from "../../../aggregator/store/sqlite/sqlite-store.ts";
import type { CommandBody } from "../../../shared/contracts/messages.ts";
import { createLog } from "../../../shared/log.ts";
import { systemClock } from "../../../shared/time.ts";
import { commitsOf } from "../../support/commits.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const log = createLog("test", "silent");
const LAYOUT = { rows: ["A", "B"], racks_per_row: 3 };

/** A control of a site whose agents are all online, and what it told them. */
function control(file = join(temporaryFolder(), "store.db")) {
  const store = openSqliteStore(file, { flush_ms: 60_000, busy_timeout_ms: 10, log });
  const fleet = createFleet(LAYOUT, store);
  for (const { rack_id } of fleet.racks) {
    const about = { v: 1 as const, ts: "2026-01-01T00:00:00.000Z", agent_version: "1", driver: "test" };
    const status = { ...about, rack_id, state: "online" as const, mode: "advisory" as const, model_id: null };
    fleet.get(rack_id)!.status = status;
  }
  const told: { rack_id: string; body: CommandBody }[] = [];
  const commander = { send: (rack_id: string, body: CommandBody) => String(told.push({ rack_id, body })) };
  const events = eventBus(store, systemClock());
  onTestFinished(() => store.close());
  return { file, told, store, mode: modeControl({ initial: "advisory", store, events, commander, fleet }) };
}

describe("the mode of a rack", () => {
  it("is its own, else its row's, else the site's; the kill switch is advisory for all", () => {
    const overrides = {
      rows: { A: "closed_loop" as const },
      racks: { "R-A-02": "advisory" as const, "R-B-01": "closed_loop" as const },
    };
    const state = { mode: "advisory" as const, kill_switch: false, overrides };
    const modes = ["R-A-01", "R-A-02", "R-B-01", "R-B-02", null].map((rack_id) => modeOf(state, rack_id));
    expect(modes).toEqual(["closed_loop", "advisory", "closed_loop", "advisory", "advisory"]);
    const killed = { ...state, mode: "closed_loop" as const, kill_switch: true };
    for (const rack_id of ["R-A-01", "R-B-01", null]) expect(modeOf(killed, rack_id)).toBe("advisory");
  });

  it("is told to the agents concerned alone, and outlives a restart", () => {
    const { mode, told, file } = control();
    mode.set({ mode: "closed_loop", scope: { row: "B" } });
    expect(told.map(({ rack_id }) => rack_id)).toEqual(["R-B-01", "R-B-02", "R-B-03"]);
    mode.set({ mode: "advisory", scope: { rack_id: "R-B-02" } });
    expect(told.slice(3)).toEqual([
      { rack_id: "R-B-02", body: { kind: "set_mode", mode: "advisory", kill_switch: false } },
    ]);
    const again = control(file).mode;
    expect(["R-B-01", "R-B-02", "R-A-01"].map(again.of)).toEqual(["closed_loop", "advisory", "advisory"]);
  });

  it("tells the kill switch to every agent, each with its own mode for afterwards", () => {
    const { mode, told } = control();
    mode.set({ mode: "closed_loop", scope: { rack_id: "R-A-01" } });
    mode.set({ kill_switch: true });
    const bodies = told.slice(1).map(({ body }) => body);
    expect(bodies).toHaveLength(6);
    expect(bodies.every((body) => body.kind === "set_mode" && body.kill_switch)).toBe(true);
    expect(bodies[0]).toMatchObject({ mode: "closed_loop" });
    expect(mode.of("R-A-01")).toBe("advisory");
  });

  it("and the kill switch are synced to the disk: a power cut lifts nothing that an agent was told", () => {
    const { mode } = control();
    expect(commitsOf(() => mode.set({ kill_switch: true }))).toEqual(["synced"]);
    expect(commitsOf(() => mode.set({ mode: "closed_loop", scope: { row: "A" } }))).toEqual(["synced"]);
  });

  it("reaches the agents where nothing can be written, if it stops something", () => {
    const { mode, told, file } = control();
    mode.set({ mode: "closed_loop" });
    told.length = 0;
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    expect(() => mode.set({ kill_switch: true })).toThrow(/locked/);
    expect(told.map(({ body }) => body.kind === "set_mode" && body.kill_switch)).toEqual(Array(6).fill(true));
    expect(mode.get().kill_switch).toBe(true);
    expect(() => mode.set({ kill_switch: false })).toThrow(/locked/);
    expect([told.length, mode.get().kill_switch]).toEqual([6, true]);
    other.exec("ROLLBACK");
    other.close();
    mode.set({ mode: "advisory" });
    expect(control(file).mode.get()).toMatchObject({ kill_switch: true, mode: "advisory" });
  });

  it("follows its row again once its override is removed", () => {
    const { mode } = control();
    mode.set({ mode: "closed_loop", scope: { row: "A" } });
    mode.set({ mode: "advisory", scope: { rack_id: "R-A-01" } });
    mode.set({ mode: null, scope: { rack_id: "R-A-01" } });
    expect(mode.of("R-A-01")).toBe("closed_loop");
    expect(mode.set({ mode: null, scope: { row: "A" } }).overrides).toEqual({ rows: {}, racks: {} });
  });

  it("is told as an event with what was changed beside the site's state", () => {
    const { mode, store } = control();
    mode.set({ mode: "closed_loop", scope: { row: "A" } });
    mode.set({ kill_switch: true });
    mode.set({ mode: null, scope: { rack_id: "R-A-01" } });
    const kept = store.events.between(0, Date.now() + 1_000, 10);
    expect(kept.map(({ rack_id, data }) => [rack_id, data.mode, data.changed]).reverse()).toEqual([
      [null, "advisory", { mode: "closed_loop", scope: { row: "A" } }],
      [null, "advisory", { kill_switch: true }],
      ["R-A-01", "advisory", { mode: null, scope: { rack_id: "R-A-01" } }],
    ]);
  });

  it("cannot be set for what is no part of the site", () => {
    const { mode } = control();
    expect(() => mode.set({ mode: "closed_loop", scope: { row: "Z" } })).toThrow(/one of A, B/);
    expect(() => mode.set({ mode: "closed_loop", scope: { rack_id: "R-Z-01" } })).toThrow(
      /not part of this site/,
    );
  });
});
