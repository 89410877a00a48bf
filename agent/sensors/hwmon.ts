import { join } from "node:path";
import type { HwmonPoint, HwmonSensor, HwmonUnit } from "../../shared/contracts/devices/hwmon.ts";
import { nameFits } from "../devices/glob.ts";
import { chipFits, type HwmonChip, hwmonChips, numberOf, textOf } from "../devices/hwmon.ts";
import type { SensorDevice } from "./device.ts";

/** Which files tell a unit, and how many of their steps make one (kernel documentation, hwmon/sysfs-interface). */
const FILES: Record<HwmonUnit, { pattern: RegExp; per_unit: number }> = {
  celsius: { pattern: /^(temp\d+)_input$/, per_unit: 1_000 },
  watt: { pattern: /^(power\d+)_(?:input|average)$/, per_unit: 1_000_000 },
  joule: { pattern: /^(energy\d+)_input$/, per_unit: 1_000_000 },
  rpm: { pattern: /^(fan\d+)_input$/, per_unit: 1 },
  percent: { pattern: /^(pwm\d+)$/, per_unit: 2.55 },
};

interface Source {
  /** The same at every boot, unlike the path. */
  identity: string;
  file: string;
  /** Reads 1 when the sensor is broken; most have none. */
  fault_file: string;
}

/** Reads the kernel's hardware monitors. */
export function hwmonSensor({ name, root, points }: HwmonSensor): SensorDevice {
  /** Every sensor that was ever there, by point: one that vanished is missing, not forgotten. */
  const known = points.map(() => new Map<string, Source>());
  let complete = false;

  const scan = async () => {
    const chips = await hwmonChips(root);
    for (const [i, point] of points.entries()) {
      for (const source of await sourcesOf(point, chips)) known[i]!.set(source.identity, source);
    }
  };
  const numberFrom = async ({ file, fault_file }: Source, per_unit: number) => {
    if ((await numberOf(fault_file)) === 1) return null;
    const raw = await numberOf(file);
    return raw === null ? null : raw / per_unit;
  };
  return {
    name,
    open: scan,
    async read() {
      // A chip that vanished may be back under another number.
      if (!complete) await scan();
      const readings = await Promise.all(
        points.map(async ({ unit }, i) => {
          const { per_unit } = FILES[unit as HwmonUnit];
          const values = [...known[i]!.values()].map((source) => numberFrom(source, per_unit));
          return { values: await Promise.all(values) };
        }),
      );
      complete = readings.every(({ values }) => values.length > 0 && !values.includes(null));
      return readings;
    },
    close: async () => {},
  };
}

async function sourcesOf(point: HwmonPoint, chips: readonly HwmonChip[]): Promise<Source[]> {
  const { pattern } = FILES[point.unit as HwmonUnit];
  const isIt = nameFits(point.sensor);
  const sources: Source[] = [];
  for (const chip of chips.filter(chipFits(point))) {
    const seen = new Set<string>();
    for (const entry of [...chip.files].sort().reverse()) {
      const stem = pattern.exec(entry)?.[1];
      // Where a power has both an average and an instant, the instant (which sorts later) is taken.
      if (stem === undefined || seen.has(stem)) continue;
      seen.add(stem);
      const label = (await textOf(join(chip.folder, `${stem}_label`))) ?? stem;
      if (!isIt(label) && !isIt(stem)) continue;
      sources.push({
        identity: `${chip.name}/${chip.device}/${stem}`,
        file: join(chip.folder, entry),
        fault_file: join(chip.folder, `${stem}_fault`),
      });
    }
  }
  return sources;
}
