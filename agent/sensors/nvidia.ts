import type { NvidiaSensor } from "../../shared/contracts/devices/nvidia.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import { type GpuRow, type NvidiaSmi, startNvidiaSmi } from "../devices/nvidia-smi.ts";
import type { SensorDevice } from "./device.ts";

/** Reads the GPUs of this machine. */
export function nvidiaSensor(config: NvidiaSensor, clock: Clock): SensorDevice {
  const { name, program, gpus, points, poll_s, timeout_s } = config;
  const queries = [...new Set(points.map(({ query }) => query))];
  // The first read waits for a second round: it must come in time.
  const every_ms = Math.round(Math.min(poll_s, timeout_s / 3) * 1000);
  const silent_ms = (3 * poll_s + timeout_s) * 1000;
  /** Every GPU that was ever there: one that fell off the bus is missing, not forgotten. */
  const seen = new Set<string>();
  let smi: NvidiaSmi | null = null;

  const rowsOf = (rows: ReadonlyMap<string, GpuRow>): (GpuRow | undefined)[] => {
    for (const uuid of rows.keys()) seen.add(uuid);
    if (!gpus) return [...seen].map((uuid) => rows.get(uuid));
    return gpus.map((gpu) => [...rows.values()].find(({ index, uuid }) => gpu === index || gpu === uuid));
  };
  return {
    name,
    async open() {
      smi?.stop();
      smi = startNvidiaSmi({ program, queries, every_ms, clock });
    },
    async read(signal) {
      const rows = await smi!.rows(signal);
      const newest_ms = Math.max(...[...rows.values()].map(({ at_ms }) => at_ms));
      const age_ms = clock.now() - newest_ms;
      if (age_ms > silent_ms) {
        const value = `silent for ${Math.round(age_ms / 1000)} s`;
        throw skadiError("SKADI_DRIVER", { field: "program", value, expected: `a line every ${poll_s} s` });
      }
      const current = rowsOf(rows).map((row) => (row && newest_ms - row.at_ms <= silent_ms ? row : null));
      return points.map(({ query }) => {
        const column = queries.indexOf(query);
        return { values: current.map((row) => row?.values[column] ?? null), age_ms };
      });
    },
    async close() {
      smi?.stop();
      smi = null;
    },
  };
}
