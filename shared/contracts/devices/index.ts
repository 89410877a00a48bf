import * as z from "zod";
import { MEASURED_FIELDS } from "../telemetry.ts";
import { Aggregate } from "./common.ts";
import { ExecDrive, ExecSensor } from "./exec.ts";
import { HwmonDrive, HwmonSensor } from "./hwmon.ts";
import { IpmiDrive, IpmiSensor } from "./ipmi.ts";
import { ModbusDrive, ModbusSensor } from "./modbus.ts";
import { MqttSensor } from "./mqtt.ts";
import { NvidiaSensor } from "./nvidia.ts";
import { PrometheusSensor } from "./prometheus.ts";
import { RedfishDrive, RedfishSensor } from "./redfish.ts";
import { SnmpDrive, SnmpSensor } from "./snmp.ts";
import { SystemInformationSensor } from "./systeminformation.ts";
import { WebhookDrive } from "./webhook.ts";

/** Any device that is read. */
const SensorDevice = z.discriminatedUnion("driver", [
  ExecSensor,
  HwmonSensor,
  IpmiSensor,
  ModbusSensor,
  MqttSensor,
  NvidiaSensor,
  PrometheusSensor,
  RedfishSensor,
  SnmpSensor,
  SystemInformationSensor,
]);
export type SensorDeviceConfig = z.infer<typeof SensorDevice>;

/** Any device that is driven. */
const DriveDevice = z.discriminatedUnion("driver", [
  ExecDrive,
  HwmonDrive,
  IpmiDrive,
  ModbusDrive,
  RedfishDrive,
  SnmpDrive,
  WebhookDrive,
]);
export type DriveDeviceConfig = z.infer<typeof DriveDevice>;

const differentNames = (devices: readonly { name: string }[]) =>
  new Set(devices.map((device) => device.name)).size === devices.length;

const onceEach = (drives: readonly DriveDeviceConfig[]) => {
  const targets = drives.flatMap((drive) => drive.targets.map(({ target }) => target));
  return new Set(targets).size === targets.length;
};

export const Sensors = z
  .strictObject({
    /** Empty: the program that embeds the agent brings its own. */
    devices: z.array(SensorDevice).refine(differentNames, "a different name for each device").default([]),
    /** How several points of one field become one number; where a field is not named, the safe way for it. */
    aggregate: z.partialRecord(z.enum(MEASURED_FIELDS), Aggregate).default({}),
  })
  .prefault({});
export type SensorsConfig = z.infer<typeof Sensors>;

export const Drives = z
  .array(DriveDevice)
  .refine(differentNames, "a different name for each device")
  .refine(onceEach, "each target on one device only")
  .default([]);
