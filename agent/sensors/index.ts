import type { SensorDeviceConfig, SensorsConfig } from "../../shared/contracts/devices/index.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { snmpSources } from "../devices/snmp-sources.ts";
import { type CollectedDevice, collector } from "./collector.ts";
import type { SensorDriver } from "./driver.ts";
import { execPoints, execSensor } from "./exec.ts";
import { hwmonSensor } from "./hwmon.ts";
import { ipmiSensor } from "./ipmi.ts";
import { modbusSensor } from "./modbus.ts";
import { mqttSensor } from "./mqtt.ts";
import { nvidiaSensor } from "./nvidia.ts";
import { prometheusPoints, prometheusSensor } from "./prometheus.ts";
import { redfishPoints, redfishSensor } from "./redfish.ts";
import { snmpSensor } from "./snmp.ts";
import { systemInformationSensor } from "./systeminformation.ts";

/** The device that a configuration describes, not yet opened. */
export function sensorDevice(config: SensorDeviceConfig, clock: Clock, log: Log): CollectedDevice {
  switch (config.driver) {
    case "exec":
      return { ...config, device: execSensor(config), points: execPoints(config) };
    case "hwmon":
      return { ...config, device: hwmonSensor(config) };
    case "ipmi":
      return { ...config, device: ipmiSensor(config) };
    case "mqtt":
      return { ...config, device: mqttSensor(config, clock, log) };
    case "nvidia":
      return { ...config, device: nvidiaSensor(config, clock) };
    case "systeminformation":
      return { ...config, device: systemInformationSensor(config) };
    case "snmp":
      return { ...config, device: snmpSensor(config), points: snmpSources(config) };
    case "modbus":
      return { ...config, device: modbusSensor(config) };
    case "prometheus": {
      const points = prometheusPoints(config);
      return { ...config, device: prometheusSensor(config, points, clock, log), points };
    }
    case "redfish": {
      const points = redfishPoints(config);
      return { ...config, device: redfishSensor(config, points, clock, log), points };
    }
  }
}

/**
 * The driver over all devices that a configuration names.
 *
 * @throws SkadiError SKADI_BAD_CONFIG where the configuration expects an embedding program to bring its own
 */
export function sensorDriver(config: SensorsConfig, clock: Clock, log: Log): SensorDriver {
  if (config.devices.length === 0) {
    const expected = "at least one device to read (see docs/drivers.md, or run skadi-agent init)";
    throw skadiError("SKADI_BAD_CONFIG", { field: "sensors.devices", value: [], expected });
  }
  const devices = config.devices.map((device) => sensorDevice(device, clock, log));
  return collector({ devices, aggregates: config.aggregate, clock, log });
}
