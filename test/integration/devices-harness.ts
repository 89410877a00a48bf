import modbus from "modbus-serial";
import snmp from "net-snmp";
import { onTestFinished } from "vitest";
import { racksOf } from "../../shared/contracts/rack.ts";
import { createLog } from "../../shared/log.ts";
import { type VirtualClock, virtualClock } from "../../shared/time.ts";
import {
  DEVICE_LOGINS,
  type RackDevices,
  type RackDevicesOptions,
  serveRackDevices,
} from "../../sim/devices/serve.ts";
import { createPlant, type Plant } from "../../sim/plant/plant.ts";

export const RACK = "R-C-07";

export interface Bench {
  plant: Plant;
  clock: VirtualClock;
  devices: RackDevices;
}

/** A rack's devices on free ports, whose time moves only when told to; closed with the test. */
export async function startDevices(
  options: Partial<Omit<RackDevicesOptions, "plant" | "clock" | "rack_id">> = {},
): Promise<Bench> {
  const clock = virtualClock(Date.parse("2026-03-02T10:00:00Z"));
  const plant = createPlant({ rack_ids: racksOf(["C"], 12), seed: 7, start_ms: clock.now() });
  const log = createLog("test", "silent");
  const devices = await serveRackDevices({ plant, rack_id: RACK, log, clock, ...options });
  onTestFinished(() => devices.close());
  return { plant, clock, devices };
}

export interface SnmpClient {
  get(...oids: string[]): Promise<snmp.Varbind[]>;
  set(oid: string, value: number): Promise<snmp.Varbind[]>;
  walk(oid: string): Promise<Map<string, unknown>>;
}

export function snmpV2c(devices: RackDevices, community: string): SnmpClient {
  const options = { port: devices.snmp.port, version: snmp.Version2c, retries: 0, timeout: 700 };
  return snmpClient(snmp.createSession(devices.host, community, options));
}

export function snmpV3(
  devices: RackDevices,
  user: { name: string; auth_key: string; priv_key: string },
): SnmpClient {
  const options = { port: devices.snmp.port, version: snmp.Version3, retries: 0, timeout: 700 };
  const login = {
    name: user.name,
    level: snmp.SecurityLevel.authPriv,
    authProtocol: snmp.AuthProtocols.sha,
    authKey: user.auth_key,
    privProtocol: snmp.PrivProtocols.aes,
    privKey: user.priv_key,
  };
  return snmpClient(snmp.createV3Session(devices.host, login, options));
}

function snmpClient(session: snmp.Session): SnmpClient {
  onTestFinished(() => {
    session.close();
  });
  const answer =
    (resolve: (varbinds: snmp.Varbind[]) => void, refuse: (error: Error) => void) =>
    (error: Error | null, varbinds?: unknown) =>
      error ? refuse(error) : resolve(varbinds as snmp.Varbind[]);
  return {
    get: (...oids) => new Promise((resolve, refuse) => session.get(oids, answer(resolve, refuse))),
    set: (oid, value) =>
      new Promise((resolve, refuse) =>
        session.set([{ oid, type: snmp.ObjectType.Integer, value }], answer(resolve, refuse)),
      ),
    walk(oid) {
      const found = new Map<string, unknown>();
      return new Promise((resolve, refuse) =>
        session.subtree(
          oid,
          20,
          (varbinds) => {
            for (const varbind of varbinds as snmp.Varbind[]) {
              const { value } = varbind;
              found.set(varbind.oid, Buffer.isBuffer(value) ? value.toString() : value);
            }
          },
          (error) => (error ? refuse(error) : resolve(found)),
        ),
      );
    },
  };
}

export type ModbusClient = InstanceType<typeof modbus.default>;

export async function modbusClient(
  devices: RackDevices,
  unit_id = devices.modbus.unit_id,
): Promise<ModbusClient> {
  const client = new modbus.default();
  await client.connectTCP(devices.host, { port: devices.modbus.port });
  client.setID(unit_id);
  client.setTimeout(700);
  onTestFinished(() => new Promise<void>((resolve) => client.close(() => resolve())));
  return client;
}

export const BASIC = `Basic ${btoa(`${DEVICE_LOGINS.redfish_user}:${DEVICE_LOGINS.redfish_password}`)}`;

/** A request to the Redfish service as its administrator, with the answer's body as JSON. */
export async function redfish(
  devices: RackDevices,
  path: string,
  request: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
) {
  const { method = "GET", body, headers = { authorization: BASIC } } = request;
  const response = await fetch(`${devices.redfish.url}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    // biome-ignore lint/suspicious/noExplicitAny: resources of many shapes, which the tests look into
    body: (text === "" ? null : JSON.parse(text)) as any,
  };
}

/** The samples of a metrics page by "name{labels}"; absent families are simply not there. */
export async function metrics(devices: RackDevices): Promise<Map<string, number>> {
  const response = await fetch(`${devices.prometheus.url}/metrics`);
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))] as const;
    }),
  );
}

/** Sum over all samples of a family. */
export function total(page: Map<string, number>, family: string): number | undefined {
  const values = [...page].filter(([name]) => name.startsWith(`${family}{`)).map(([, value]) => value);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** Upper bounds in seconds and cumulative counts of a histogram. */
export function buckets(page: Map<string, number>, family: string): { le: number; count: number }[] {
  return [...page]
    .filter(([name]) => name.startsWith(`${family}_bucket{`))
    .map(([name, count]) => {
      const le = /le="([^"]+)"/.exec(name)![1]!;
      return { le: le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le), count };
    });
}

/** Prometheus' histogram_quantile over counts between two looks. */
export function histogramQuantile(q: number, histogram: readonly { le: number; count: number }[]): number {
  const rank = q * histogram.at(-1)!.count;
  const k = histogram.findIndex(({ count }) => count >= rank);
  const low = histogram[k - 1] ?? { le: 0, count: 0 };
  const high = histogram[k]!;
  return low.le + ((high.le - low.le) * (rank - low.count)) / (high.count - low.count);
}
