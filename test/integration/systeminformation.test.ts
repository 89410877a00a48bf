import { cpuTemperature } from "systeminformation";
import { describe, expect, it } from "vitest";
import { sensorDevice } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";

const sensorsWith = (device: object) =>
  AgentConfig.safeParse({
    rack_id: "R-A-01",
    sensors: { devices: [{ name: "host", driver: "systeminformation", ...device }] },
  });

describe("the temperatures of this machine", () => {
  it("are what the library tells, and silent where it finds none", async () => {
    const points = [
      { field: "outlet_c", read: "cpu_temperature_max" },
      { field: "inlet_c", read: "chipset_temperature" },
    ];
    const config = sensorsWith({ points }).data!.sensors.devices[0]!;
    const { device } = sensorDevice(config, systemClock(), createLog("test", "silent"));
    await device.open();
    const [max, chipset] = await device.read(new AbortController().signal);
    const told = await cpuTemperature();
    // Machines without sensors, as most that run tests are, have none; a real one moves between two reads.
    if (told.max === null) expect(max?.values).toEqual([null]);
    else expect(Math.abs(max!.values[0]! - told.max)).toBeLessThan(15);
    expect(chipset?.values).toEqual([told.chipset ?? null]);
  });

  it("are asked for every two seconds at most, and feed temperatures only", () => {
    const points = [{ field: "outlet_c", read: "cpu_temperature" }];
    expect(sensorsWith({ points }).success).toBe(true);
    expect(sensorsWith({ points, poll_s: 1 }).success).toBe(false);
    expect(sensorsWith({ points: [{ field: "pdu_kw", read: "cpu_temperature" }] }).success).toBe(false);
  });
});
