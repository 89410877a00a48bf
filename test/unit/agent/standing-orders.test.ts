import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { standingOrders } from "../../../agent/standing-orders.ts";
import type { Mode } from "../../../shared/contracts/action.ts";
import { createLog } from "../../../shared/log.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const log = createLog("test", "silent");

/** No test may depend on what lies on this machine. */
const orders = (file: string, configured: Mode, kill_switch_file = "/nowhere/kill-switch") =>
  standingOrders({ file, configured, kill_switch_file, log });

describe("standing orders", () => {
  it("are the configured mode until a command says otherwise", () => {
    const file = join(temporaryFolder(), "orders.json");
    expect(orders(file, "closed_loop").mode()).toBe("closed_loop");
    expect(orders(file, "advisory").mode()).toBe("advisory");
  });

  it("outlive a restart: a kill switch that a restart lifts is none", () => {
    const file = join(temporaryFolder(), "deep", "orders.json");
    orders(file, "closed_loop").set({ mode: "closed_loop", kill_switch: true });
    const again = orders(file, "closed_loop");
    expect(again.mode()).toBe("advisory");
    again.set({ mode: "closed_loop", kill_switch: false });
    expect(orders(file, "advisory").mode()).toBe("closed_loop");
  });

  it("that cannot be read mean advisory", () => {
    const file = join(temporaryFolder(), "orders.json");
    writeFileSync(file, '{"mode":"clo');
    expect(orders(file, "closed_loop").mode()).toBe("advisory");
  });

  it("that are no file mean advisory as well, and keep no agent from starting", () => {
    const file = join(temporaryFolder(), "orders.json");
    mkdirSync(file);
    const unreadable = orders(file, "closed_loop");
    expect([unreadable.mode(), unreadable.killSwitch()]).toEqual(["advisory", true]);
  });

  it("hold for this run even where they cannot be kept", () => {
    const blocked = join(temporaryFolder(), "file");
    writeFileSync(blocked, "no folder");
    const kept = orders(join(blocked, "orders.json"), "advisory");
    kept.set({ mode: "closed_loop", kill_switch: false });
    expect(kept.mode()).toBe("closed_loop");
  });

  it("give way to the kill switch file for as long as it exists, and say when it comes and goes", () => {
    const folder = temporaryFolder();
    const kill_switch_file = join(folder, "kill-switch");
    let changes = 0;
    const kept = standingOrders({
      file: join(folder, "orders.json"),
      configured: "closed_loop",
      kill_switch_file,
      log,
      onKillSwitch: () => changes++,
    });
    expect([kept.mode(), changes]).toEqual(["closed_loop", 0]);
    writeFileSync(kill_switch_file, "");
    expect([kept.mode(), kept.killSwitch(), kept.mode(), changes]).toEqual(["advisory", true, "advisory", 1]);
    kept.set({ mode: "closed_loop", kill_switch: false });
    expect(kept.mode(), "a command cannot lift it").toBe("advisory");
    rmSync(kill_switch_file);
    expect([kept.mode(), changes]).toEqual(["closed_loop", 2]);
  });

  it("take a kill switch file that cannot be looked for as there", () => {
    const folder = temporaryFolder();
    const endless = `/${"x".repeat(5_000)}`;
    expect(orders(join(folder, "orders.json"), "closed_loop", endless).mode()).toBe("advisory");
  });
});
