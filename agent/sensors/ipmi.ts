import type { IpmiSensor } from "../../shared/contracts/devices/ipmi.ts";
import type { Unit } from "../../shared/contracts/devices/units.ts";
import { skadiError } from "../../shared/errors.ts";
import { nameFits } from "../devices/glob.ts";
import { type IpmiReading, ipmitool, parseDcmiPower, parseSensorList } from "../devices/ipmitool.ts";
import type { SensorDevice } from "./device.ts";

/** The units that a controller itself names; others are taken as configured. */
const UNIT_NAMES: Record<string, Unit> = {
  "degrees C": "celsius",
  "degrees F": "fahrenheit",
  "degrees K": "kelvin",
  Watts: "watt",
  Joules: "joule",
  RPM: "rpm",
  percent: "percent",
};

/** Reads a management controller's sensors and, where asked for, its DCMI power. */
export function ipmiSensor(config: IpmiSensor): SensorDevice {
  const { name, points, sdr_cache } = config;
  const selected = points.map((point) => (point.sensor === undefined ? null : nameFits(point.sensor)));
  const lists = selected.some((isIt) => isIt !== null);
  const asks_power = points.some(({ dcmi }) => dcmi !== undefined);
  let run = (_args: readonly string[], _signal: AbortSignal) => Promise.resolve("");

  const listed = async (signal: AbortSignal) => {
    // Without the file ipmitool asks the controller.
    const cached = sdr_cache === undefined ? [] : ["-S", sdr_cache];
    return parseSensorList(await run([...cached, "-c", "sdr", "list", "full"], signal));
  };
  return {
    name,
    async open() {
      run = ipmitool(config);
    },
    async read(signal) {
      // One after the other: controllers have few sessions and little patience.
      const sensors = lists ? await listed(signal) : [];
      const power_w = asks_power ? parseDcmiPower(await run(["dcmi", "power", "reading"], signal)) : null;
      return points.map(({ field, unit }, i) => {
        const isIt = selected[i];
        if (!isIt) return { values: [power_w] };
        const found = sensors.filter((sensor) => isIt(sensor.name));
        for (const sensor of found) mustBeIn(sensor, field, unit);
        return { values: found.map(({ value }) => value) };
      });
    },
    close: async () => {},
  };
}

/** The wrong unit would be a wrong number that looks right. */
function mustBeIn(sensor: IpmiReading, field: string, unit: Unit | undefined): void {
  const named = UNIT_NAMES[sensor.unit];
  if (named === undefined || named === unit) return;
  const expected = `${unit} (field ${field}: set unit${named === "rpm" ? " and full_scale_rpm" : ""})`;
  throw skadiError("SKADI_DRIVER", { field: sensor.name, value: sensor.unit, expected });
}
