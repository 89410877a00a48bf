import type { Instruments } from "../instruments.ts";
import type { SpeedControl } from "../speed-control.ts";
import type { SnmpObject } from "./objects.ts";

/** NET-SNMP's playpen, the branch that its owner keeps free for experiments: no vendor's MIB has these objects. */
export const FAN_TRAY_OID = "1.3.6.1.4.1.8072.9999.9999.26";

const AUTOMATIC = 1;
const MANUAL = 2;

/** The rack's fan tray and pump: setpoint and speed in tenths of a percent, mode automatic(1) or manual(2). */
export function fanTray(device: Instruments): SnmpObject[] {
  return [
    ...speedObjects("fanTray", 1, device.fan, () => device.read().fan_rpm_pct),
    ...speedObjects("coolantPump", 2, device.pump, () => device.read().pump_rpm_pct),
  ];
}

function speedObjects(
  name: string,
  branch: number,
  control: SpeedControl,
  speed_pct: () => number | null,
): SnmpObject[] {
  const oid = (number: number) => `${FAN_TRAY_OID}.${branch}.${number}`;
  const object = (suffix: string, number: number, instance: SnmpObject["instances"][number]): SnmpObject => ({
    name: `${name}${suffix}`,
    oid: oid(number),
    type: "integer",
    instances: [instance],
  });
  return [
    object("Setpoint", 1, {
      index: "0",
      read: () => Math.round(control.setpoint_pct * 10),
      write: {
        accepts: (value) => control.accepts(value / 10),
        apply: (value) => control.override(value / 10),
      },
    }),
    object("Mode", 2, {
      index: "0",
      read: () => (control.automatic ? AUTOMATIC : MANUAL),
      write: {
        accepts: (value) => value === AUTOMATIC || value === MANUAL,
        apply: (value) => control.setAutomatic(value === AUTOMATIC),
      },
    }),
    object("Speed", 3, {
      index: "0",
      read: () => {
        const value = speed_pct();
        return value === null ? -1 : Math.round(value * 10);
      },
    }),
  ];
}
