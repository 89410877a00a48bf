import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Plant } from "../plant/plant.ts";
import { runPlant } from "../plant/run.ts";
import { createInstruments } from "./instruments.ts";
import { type MetricsServer, serveMetrics } from "./metrics/service.ts";
import { type ModbusServer, serveModbus } from "./modbus/server.ts";
import { type RedfishServer, serveRedfish } from "./redfish/service.ts";
import { type SnmpProfileName, type SnmpServer, type SnmpUser, serveSnmp } from "./snmp/agent.ts";

/** What clients of the simulated devices log in with, unless told otherwise. */
export const DEVICE_LOGINS = {
  snmp_read_community: "public",
  snmp_write_community: "private",
  snmp_users: [
    { name: "monitor", auth_key: "monitor-auth-key", priv_key: "monitor-priv-key", write: false },
    { name: "operator", auth_key: "operator-auth-key", priv_key: "operator-priv-key", write: true },
  ] as readonly SnmpUser[],
  redfish_user: "admin",
  redfish_password: "simulated",
  scheduler_token: "simulated-scheduler-token",
};

export interface RackDevicesOptions {
  plant: Plant;
  rack_id: string;
  log: Log;
  /** Steps the plant; without it whoever owns the plant does. */
  clock?: Clock;
  host?: string;
  /** Each 0 or left out: any free port. */
  snmp_port?: number;
  modbus_port?: number;
  redfish_port?: number;
  prometheus_port?: number;
  profile?: SnmpProfileName;
  unit_id?: number;
  tls?: boolean;
  session_timeout_s?: number;
  logins?: Partial<typeof DEVICE_LOGINS>;
}

/** One rack's devices on the network; see docs/devices.md. */
export interface RackDevices {
  readonly rack_id: string;
  readonly host: string;
  readonly snmp: SnmpServer & { profile: SnmpProfileName };
  readonly modbus: ModbusServer & { unit_id: number };
  readonly redfish: RedfishServer;
  readonly prometheus: MetricsServer;
  close(): Promise<void>;
}

/** Serves one rack of a plant as SNMP, Modbus TCP, Redfish and Prometheus devices, all over the same state. */
export async function serveRackDevices(options: RackDevicesOptions): Promise<RackDevices> {
  const { plant, rack_id, log, clock, host = "127.0.0.1", profile = "apc", unit_id = 1 } = options;
  const logins = { ...DEVICE_LOGINS, ...options.logins };
  const device = createInstruments(plant, rack_id);
  const closers: (() => unknown)[] = [];
  const keep = <Server extends { close(): unknown }>(server: Server): Server => {
    closers.push(() => server.close());
    return server;
  };
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    if (clock) closers.push(runPlant(plant, clock, device.observe));
    const snmp = keep(
      await serveSnmp(
        device,
        {
          host,
          port: options.snmp_port ?? 0,
          profile,
          read_community: logins.snmp_read_community,
          write_community: logins.snmp_write_community,
          users: logins.snmp_users,
        },
        log,
      ),
    );
    const modbus = keep(await serveModbus(device, { host, port: options.modbus_port ?? 0, unit_id }, log));
    const redfish = keep(
      await serveRedfish(
        device,
        {
          host,
          port: options.redfish_port ?? 0,
          user: logins.redfish_user,
          password: logins.redfish_password,
          tls: options.tls ?? false,
          session_timeout_s: options.session_timeout_s ?? 1800,
        },
        log,
      ),
    );
    const prometheus = keep(
      await serveMetrics(device, plant, {
        host,
        port: options.prometheus_port ?? 0,
        token: logins.scheduler_token,
      }),
    );
    return {
      rack_id,
      host,
      snmp: { ...snmp, profile },
      modbus: { ...modbus, unit_id },
      redfish,
      prometheus,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
