import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { standingOrders } from "../../../agent/standing-orders.ts";
import { createLog } from "../../../shared/log.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const log = createLog("test", "silent");

describe("standing orders", () => {
  it("are the configured mode until a command says otherwise", () => {
    const file = join(temporaryFolder(), "orders.json");
    expect(standingOrders(file, "closed_loop", log).mode()).toBe("closed_loop");
    expect(standingOrders(file, "advisory", log).mode()).toBe("advisory");
  });

  it("outlive a restart: a kill switch that a restart lifts is none", () => {
    const file = join(temporaryFolder(), "deep", "orders.json");
    standingOrders(file, "closed_loop", log).set({ mode: "closed_loop", kill_switch: true });
    const again = standingOrders(file, "closed_loop", log);
    expect(again.mode()).toBe("advisory");
    again.set({ mode: "closed_loop", kill_switch: false });
    expect(standingOrders(file, "advisory", log).mode()).toBe("closed_loop");
  });

  it("that cannot be read mean advisory", () => {
    const file = join(temporaryFolder(), "orders.json");
    writeFileSync(file, '{"mode":"clo');
    expect(standingOrders(file, "closed_loop", log).mode()).toBe("advisory");
  });

  it("hold for this run even where they cannot be kept", () => {
    const blocked = join(temporaryFolder(), "file");
    writeFileSync(blocked, "no folder");
    const orders = standingOrders(join(blocked, "orders.json"), "advisory", log);
    orders.set({ mode: "closed_loop", kill_switch: false });
    expect(orders.mode()).toBe("closed_loop");
  });
});
