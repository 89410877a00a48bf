import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sensorDriver } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary.ts";

const log = createLog("test", "silent");
const clock = systemClock();
const [A, B] = ["GPU-aaaaaaaa-0000-0000-0000-000000000001", "GPU-bbbbbbbb-0000-0000-0000-000000000002"];

/**
 * A stand-in for nvidia-smi, because no GPU is to be had in a test: it prints the lines of a file again and again, as
 * `--loop-ms` makes the real one do, and ends when the file is gone.
 */
function standIn() {
  const folder = temporaryFolder();
  const program = join(folder, "nvidia-smi");
  const script = `#!/bin/sh
echo "$@" >> ${folder}/started
while cat ${folder}/gpus; do sleep 0.1; done
echo "Unable to determine the device handle for GPU 0000:65:00.0: GPU is lost"
exit 15
`;
  writeFileSync(program, script, { mode: 0o755 });
  const say = (...lines: string[]) =>
    writeFileSync(join(folder, "gpus"), lines.map((l) => `${l}\n`).join(""));
  const started = () => readFileSync(join(folder, "started"), "utf8").trim().split("\n");
  return { program, say, started, loseGpu: () => rmSync(join(folder, "gpus")) };
}

async function sensorsOf(program: string, changes: object = {}) {
  const device = { name: "gpus", driver: "nvidia", program, poll_s: 0.1, timeout_s: 1, ...changes };
  const { sensors } = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices: [device] } });
  const driver = sensorDriver(sensors, clock, log);
  onTestFinished(() => driver.close());
  await driver.open();
  return driver;
}

const ofPower = [{ field: "pdu_kw" }];

describe("GPUs that nvidia-smi tells of", () => {
  it("draw together what the energy of the rack's GPUs is made of, read by one program that goes on", async () => {
    const { program, say, started } = standIn();
    say(`0, ${A}, 400.5`, `1, ${B}, 300.25`);
    const driver = await sensorsOf(program);
    await driver.read();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { values } = await driver.read();
    expect(values.gpu_energy_j).toBeGreaterThan(700.75 * 0.4);
    expect(values.gpu_energy_j).toBeLessThan(700.75 * 2);
    expect(started()).toEqual([
      "--query-gpu=index,uuid,power.draw --format=csv,noheader,nounits --loop-ms=100",
    ]);
  });

  it("are those of this rack only, by index or UUID", async () => {
    const { program, say } = standIn();
    say(`0, ${A}, 400`, `1, ${B}, 300`);
    const second = await sensorsOf(program, { gpus: [1], points: ofPower });
    expect((await second.read()).values.pdu_kw).toBeCloseTo(0.3, 9);
    const first = await sensorsOf(program, { gpus: [A], points: ofPower });
    expect((await first.read()).values.pdu_kw).toBeCloseTo(0.4, 9);
    const absent = await sensorsOf(program, { gpus: [0, 7], points: ofPower });
    expect((await absent.read()).values.pdu_kw).toBeNull();
  });

  it("of which one has nothing to tell have no sum, but still a hottest", async () => {
    const { program, say } = standIn();
    say(`0, ${A}, [N/A], 61`, `1, ${B}, 300, 67`);
    const points = [...ofPower, { field: "outlet_c", query: "temperature.gpu", aggregate: "max" }];
    const driver = await sensorsOf(program, { points });
    expect((await driver.read()).values).toMatchObject({ pdu_kw: null, outlet_c: 67 });
  });

  it("of which one falls off the bus are missed, and the program is started again until it is back", async () => {
    const { program, say, started, loseGpu } = standIn();
    say(`0, ${A}, 400`, `1, ${B}, 300`);
    const driver = await sensorsOf(program, { points: ofPower, stale_after_s: 0.5 });
    const power_kw = async () => (await driver.read()).values.pdu_kw;
    loseGpu();
    await eventually("the power is missing", async () => (await power_kw()) === null);
    say(`0, ${A}, 410`);
    await eventually("the program was started again", () => started().length > 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await power_kw()).toBeNull();
    say(`0, ${A}, 410`, `1, ${B}, 300`);
    await eventually("both are back", async () => Math.abs(((await power_kw()) ?? 0) - 0.71) < 1e-9);
  });

  it("are silent where there is no nvidia-smi", async () => {
    const driver = await sensorsOf("/nowhere/nvidia-smi", { points: ofPower });
    expect((await driver.read()).values.pdu_kw).toBeNull();
  });
});
