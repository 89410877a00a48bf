import type { SensorsConfig } from "../../shared/contracts/config.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import type { SensorDriver } from "./driver.ts";
import { execDriver } from "./exec.ts";

/**
 * The driver that a configuration names.
 *
 * @throws SkadiError SKADI_BAD_CONFIG where the configuration expects an embedding program to bring its own
 */
export function sensorDriver(config: SensorsConfig, clock: Clock): SensorDriver {
  if (config.driver === "exec") return execDriver({ ...config, clock });
  const expected = "a driver that reads this host (exec)";
  throw skadiError("SKADI_BAD_CONFIG", { field: "sensors.driver", value: config.driver, expected });
}
