import type { SystemInformationSensor } from "../../shared/contracts/devices/systeminformation.ts";
import type { SensorDevice } from "./device.ts";

/**
 * Reads this machine's temperatures by way of the systeminformation library. Of its GPUs nothing: the library waits for
 * nvidia-smi without letting anything else run, and a GPU that hangs would stop the guardrail.
 */
export function systemInformationSensor({ name, points }: SystemInformationSensor): SensorDevice {
  return {
    name,
    open: async () => {},
    async read() {
      // Loaded where it is configured: the library is large for what little is taken of it.
      const { cpuTemperature } = await import("systeminformation");
      const { main, max, chipset } = await cpuTemperature();
      const values = { cpu_temperature: main, cpu_temperature_max: max, chipset_temperature: chipset };
      // What it does not find, the library leaves null, whatever its types say.
      return points.map(({ read }) => ({ values: [values[read] ?? null] }));
    },
    close: async () => {},
  };
}
