import { describe, expect, it } from "vitest";
import type { DriveDevice } from "../../../agent/actuators/drive.ts";
import { drivesAsActuators } from "../../../agent/actuators/drives.ts";
import { driveThroughGate } from "../../../agent/actuators/gate.ts";
import type { RackTarget } from "../../../shared/contracts/action.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { createLog } from "../../../shared/log.ts";
import { virtualClock } from "../../../shared/time.ts";

const TIMEOUT_S = 4;
const log = createLog("test", "silent");
const { actuators } = AgentConfig.parse({
  rack_id: "R-A-01",
  actuators: { fan_rpm_pct: { fail_safe: 80 }, pump_rpm_pct: { fail_safe: 70 } },
});

/** What a device makes of one call: it answers, now or later, fails, or says nothing and does not even obey its signal. */
type Manner = "answers" | "answers later" | "fails" | "hangs";

/**
 * Devices of two targets at 50 each, and all that was written to them, with the time in s. Closing one ends what is
 * under way on it, as with any connection.
 */
function rig(options: {
  devices?: (readonly RackTarget[])[];
  onRead?: (target: RackTarget) => Manner;
  onWrite?: (target: RackTarget) => Manner;
  /** How long opening and closing take. */
  open_s?: number;
  close_s?: number;
  retries?: number;
}) {
  const clock = virtualClock();
  const written: [number, RackTarget, number | null][] = [];
  const lines: string[] = [];
  const setpoints = new Map<RackTarget, number | null>();
  const sleep = (seconds = 0) => new Promise<void>((done) => clock.after(seconds * 1000, done));
  const behave = async (manner: Manner = "answers", lost: Promise<never>) => {
    if (manner === "fails") throw new Error("no bus");
    if (manner === "hangs") await new Promise(() => {});
    if (manner === "answers later") await Promise.race([sleep(1), lost]);
  };
  const device = (targets: readonly RackTarget[]): DriveDevice => {
    let line = Promise.withResolvers<never>();
    return {
      name: targets.join("+"),
      targets,
      async open() {
        lines.push("open");
        line = Promise.withResolvers();
        // With nobody waiting on the line it is no failure.
        line.promise.catch(() => {});
        if (options.open_s) await sleep(options.open_s);
      },
      async read(target) {
        await behave(options.onRead?.(target), line.promise);
        return setpoints.get(target) ?? 50;
      },
      async write(target, value) {
        written.push([clock.now() / 1000, target, value]);
        await behave(options.onWrite?.(target), line.promise);
        setpoints.set(target, value);
      },
      async close() {
        lines.push("close");
        line.reject(new Error("hung up"));
        if (options.close_s) await sleep(options.close_s);
        lines.push("closed");
      },
    };
  };
  const devices = options.devices ?? [["fan_rpm_pct", "pump_rpm_pct"]];
  const drives = devices.map((targets) => ({
    device: device(targets),
    timeout_s: TIMEOUT_S,
    retries: options.retries ?? 1,
  }));
  const driver = drivesAsActuators({ drives, actuators, clock, log });
  const run = async (seconds: number) => {
    await settled();
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      await settled();
    }
  };
  return { clock, driver, written, lines, run };
}

/** Whatever needs no time has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What became of a promise, without waiting for it. */
function watched(promise: Promise<unknown>): { outcome?: string } {
  const seen: { outcome?: string } = {};
  promise.then(
    () => {
      seen.outcome = "done";
    },
    (error: unknown) => {
      seen.outcome = String(error);
    },
  );
  return seen;
}

describe("a write", () => {
  it("is asked for before every attempt, and a device is not told again what it must not be told any more", async () => {
    let allowed = true;
    const { driver, written, run } = rig({ onWrite: () => "hangs" });
    const permit = () => {
      if (!allowed) throw new Error("under the kill switch");
    };
    const write = watched(driver.write("fan_rpm_pct", 70, { permit }));
    await run(1);
    allowed = false;
    await run(10);
    expect(written).toEqual([[0, "fan_rpm_pct", 70]]);
    expect(write.outcome).toContain("under the kill switch");
  });

  it("is tried again while it may be", async () => {
    const asked: RackTarget[] = [];
    const { driver, written } = rig({ onWrite: () => (written.length === 1 ? "fails" : "answers") });
    await driver.write("fan_rpm_pct", 70, { permit: (target) => asked.push(target) });
    expect(written).toHaveLength(2);
    expect(asked).toEqual(["fan_rpm_pct", "fan_rpm_pct"]);
  });

  it("that was given up ends at once, and is not tried again", async () => {
    const { driver, written, run } = rig({ onWrite: () => "hangs" });
    const caller = new AbortController();
    const write = watched(driver.write("fan_rpm_pct", 70, { signal: caller.signal }));
    await run(1);
    caller.abort(new Error("given up"));
    await settled();
    expect(write.outcome).toBe("Error: given up");
    await run(10);
    expect(written).toHaveLength(1);
  });

  it("that the gate has given up leaves the device alone from then on", async () => {
    const { clock, driver, written, run } = rig({ onWrite: () => "hangs", retries: 5 });
    const request = { target: "fan_rpm_pct", value: 60, mode: "closed_loop" } as const;
    const result = watched(driveThroughGate(driver, actuators, request, clock));
    await run(5);
    expect(result.outcome).toBe("done");
    expect(written.map(([at_s]) => at_s)).toEqual([0, 4]);
    await run(60);
    expect(written).toHaveLength(2);
  });

  it("never follows an opening that took too long", async () => {
    const { driver, written, run } = rig({ open_s: TIMEOUT_S + 1 });
    const caller = new AbortController();
    const write = watched(driver.write("fan_rpm_pct", 70, { signal: caller.signal }));
    await run(2);
    caller.abort(new Error("given up"));
    await run(30);
    expect(write.outcome).toBe("Error: given up");
    expect(written).toEqual([]);
  });

  it("waits until the device has closed after a call that was given up", async () => {
    const { driver, lines, run } = rig({ onRead: () => "hangs", close_s: 2 });
    const caller = new AbortController();
    watched(driver.read("fan_rpm_pct", caller.signal));
    await run(1);
    caller.abort(new Error("given up"));
    await settled();
    const write = watched(driver.write("fan_rpm_pct", 70));
    await run(3);
    expect(write.outcome).toBe("done");
    expect(lines).toEqual(["open", "close", "closed", "open"]);
  });
});

describe("the fail-safe of several devices", () => {
  it("tells a target its value although its neighbour on the same device fails, and names the one that failed", async () => {
    const manner = (target: RackTarget) => (target === "pump_rpm_pct" ? "fails" : "answers later");
    const { driver, written, run } = rig({ onRead: manner, onWrite: manner });
    const done = watched(driver.failSafe());
    await run(3);
    expect(done.outcome).toBe("Error: pump_rpm_pct: Error: no bus");
    // Unknown, the pump is sent to its fail-safe value; both of its attempts fail.
    expect(written.map(([, ...what]) => what)).toEqual([
      ["fan_rpm_pct", 80],
      ["pump_rpm_pct", 70],
      ["pump_rpm_pct", 70],
    ]);
  });

  it("never has two requests on one device, because a failure ends its connection", async () => {
    const { driver, lines } = rig({ onRead: (target) => (target === "fan_rpm_pct" ? "fails" : "answers") });
    let under_way = 0;
    await driver.failSafe({
      permit: () => expect(under_way++).toBe(0),
      onDriven: () => under_way--,
    });
    expect(lines.filter((line) => line !== "closed")).toEqual(["open", "close", "open", "close", "open"]);
  });

  it("lets one that hangs hold up its neighbour by one attempt only", async () => {
    const { driver, written, run } = rig({
      onRead: (target) => (target === "fan_rpm_pct" ? "hangs" : "answers"),
    });
    const done = watched(driver.failSafe());
    await run(20);
    expect(written).toEqual([
      [TIMEOUT_S, "pump_rpm_pct", 70],
      [2 * TIMEOUT_S, "fan_rpm_pct", 80],
    ]);
    expect(done.outcome).toBe("done");
  });

  it("waits for no other device", async () => {
    const { driver, written, run } = rig({
      devices: [["fan_rpm_pct"], ["pump_rpm_pct"]],
      onRead: (target) => (target === "fan_rpm_pct" ? "hangs" : "answers"),
    });
    watched(driver.failSafe());
    await run(1);
    expect(written).toEqual([[0, "pump_rpm_pct", 70]]);
  });

  it("asks between the read and the write: what came meanwhile holds", async () => {
    let allowed = true;
    const { driver, written } = rig({
      onRead() {
        allowed = false;
        return "answers";
      },
    });
    const permit = () => {
      if (!allowed) throw new Error("under the kill switch");
    };
    await expect(driver.failSafe({ permit })).rejects.toThrow("under the kill switch");
    expect(written).toEqual([]);
  });

  it("that was given up writes nothing any more", async () => {
    const { driver, written, run } = rig({ onRead: () => "hangs" });
    const caller = new AbortController();
    const done = watched(driver.failSafe({ signal: caller.signal }));
    await run(1);
    caller.abort(new Error("given up"));
    await run(60);
    expect(done.outcome).toContain("given up");
    expect(written).toEqual([]);
  });
});
