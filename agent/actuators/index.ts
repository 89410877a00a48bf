import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { DriveDeviceConfig } from "../../shared/contracts/devices/index.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { ActuatorDriver } from "./driver.ts";
import { type DrivenDevice, drivesAsActuators } from "./drives.ts";
import { execDrive } from "./exec.ts";
import { hwmonDrive } from "./hwmon.ts";
import { ipmiDrive } from "./ipmi.ts";
import { modbusDrive } from "./modbus.ts";
import { redfishDrive } from "./redfish.ts";
import { snmpDrive } from "./snmp.ts";
import { webhookDrive } from "./webhook.ts";

/** The device that a configuration describes, not yet opened. */
export function drivenDevice(config: DriveDeviceConfig, clock: Clock, log: Log): DrivenDevice {
  switch (config.driver) {
    case "exec":
      return { ...config, device: execDrive(config) };
    case "hwmon":
      return { ...config, device: hwmonDrive(config) };
    case "ipmi":
      return { ...config, device: ipmiDrive(config, log) };
    case "snmp":
      return { ...config, device: snmpDrive(config) };
    case "modbus":
      return { ...config, device: modbusDrive(config) };
    case "redfish":
      return { ...config, device: redfishDrive(config, clock, log) };
    case "webhook":
      return { ...config, device: webhookDrive(config, clock, log) };
  }
}

/** The driver over all devices that a configuration names; with none, the agent advises. */
export function actuatorDriver(config: AgentConfig, clock: Clock, log: Log): ActuatorDriver {
  return drivesAsActuators({
    drives: config.drives.map((drive) => drivenDevice(drive, clock, log)),
    actuators: config.actuators,
    clock,
    log,
  });
}
