import { existsSync } from "node:fs";
import { join } from "node:path";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { RedfishSensor } from "../../../shared/contracts/devices/redfish.ts";
import { parseValue } from "../../../shared/contracts/parse.ts";
import { MEASURED_FIELDS, type MeasuredField } from "../../../shared/contracts/telemetry.ts";
import type { Log } from "../../../shared/log.ts";
import { systemClock } from "../../../shared/time.ts";
import { hwmonChips, textOf } from "../../devices/hwmon.ts";
import { redfishConnector } from "../../devices/redfish.ts";
import { membersOf } from "../../devices/redfish-value.ts";
import { probe } from "../probe.ts";
import type { DeviceInput, FoundDevice } from "./config-text.ts";

/** Where to look; what is not given is not looked at. */
export interface ScanTargets {
  redfish?: { url: string; username?: string; password_file?: string; verify?: boolean };
  snmp?: { host: string; port?: number; community_file?: string };
  metrics?: { url: string };
  /** This machine's own kernel sensors and GPUs. */
  host: boolean;
}

/** What was looked at and why it gave nothing, or which fields it gave. */
export interface ScanNote {
  what: string;
  found: readonly MeasuredField[];
  problem?: string;
}

const HWMON_ROOT = "/sys/class/hwmon";
const SNMP_PROFILES = ["apc_rpdu2", "raritan_px", "vertiv_geist", "vertiv_geist_thd"] as const;
const METRICS_PROFILES = ["vllm", "tgi", "triton", "dcgm"] as const;

/** Asks every place once; what answers with at least one value is kept, in the order of trust. */
export async function scan(
  targets: ScanTargets,
  log: Log,
): Promise<{ devices: FoundDevice[]; notes: ScanNote[] }> {
  const devices: FoundDevice[] = [];
  const notes: ScanNote[] = [];
  const taken = new Set<MeasuredField>();
  const attempt = async (what: string, config: DeviceInput, narrow: Narrow): Promise<boolean> => {
    const { fields, problem } = await answering(config, log);
    const fresh = fields.filter((field) => !taken.has(field));
    notes.push({ what, found: fields, ...(problem === undefined ? {} : { problem }) });
    if (fresh.length === 0) return false;
    for (const field of fresh) taken.add(field);
    devices.push({ config: narrow(fresh), comment: `${what}: ${fresh.join(", ")}`, fields: fresh });
    return true;
  };
  const pdu = targets.snmp && (await scanPdu(targets.snmp, attempt));
  if (targets.redfish) await scanRedfish(targets.redfish, attempt, notes, log);
  if (targets.metrics) await scanMetrics(targets.metrics, attempt);
  if (targets.host) await scanHost(attempt);
  // A PDU's probe may hang anywhere: last, and only where nothing better measures the inlet.
  if (pdu && !taken.has("inlet_c")) await scanProbe(pdu, attempt);
  return { devices, notes };
}

/** The same device, reading no more than these fields. */
type Narrow = (fields: readonly MeasuredField[]) => DeviceInput;
type Attempt = (what: string, config: DeviceInput, narrow: Narrow) => Promise<boolean>;

async function answering(
  config: DeviceInput,
  log: Log,
): Promise<{ fields: MeasuredField[]; problem?: string }> {
  const parsed = parseValue(AgentConfig, { rack_id: "R-A-01", sensors: { devices: [config] } });
  if (!parsed.ok) return { fields: [], problem: parsed.rejections.map((r) => r.message).join("; ") };
  const [device] = parsed.value.sensors.devices;
  try {
    if (!device) return { fields: [] };
    const { answering: fields, silent } = await probe(device, log);
    return fields.length > 0 ? { fields } : { fields, problem: `no value for ${silent.join(", ")}` };
  } catch (error) {
    return { fields: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

type SnmpInput = Extract<DeviceInput, { driver: "snmp" }>;

/** The PDU as the first profile that answers, or null. */
async function scanPdu(
  { host, port, community_file }: NonNullable<ScanTargets["snmp"]>,
  attempt: Attempt,
): Promise<SnmpInput | null> {
  const community = community_file ? { file: community_file } : "public";
  for (const profile of SNMP_PROFILES) {
    const pdu: SnmpInput = {
      ...{ name: "pdu", driver: "snmp", host, community, profile },
      ...(port === undefined ? {} : { port }),
    };
    if (await attempt(`SNMP PDU ${host} (${profile})`, pdu, () => pdu)) return pdu;
  }
  return null;
}

async function scanProbe(pdu: SnmpInput, attempt: Attempt): Promise<void> {
  const probe: SnmpInput = { ...pdu, name: "pdu-probe", power: [], inlet_probes: [1] };
  await attempt("The PDU's probe 1, taken for the inlet: check where it hangs", probe, () => probe);
}

async function scanRedfish(
  { url, username, password_file, verify = true }: NonNullable<ScanTargets["redfish"]>,
  attempt: Attempt,
  notes: ScanNote[],
  log: Log,
): Promise<void> {
  const auth = username && password_file ? { auth: { username, password: { file: password_file } } } : {};
  const connection = { url, ...auth, ...(verify ? {} : { tls: { verify } }) };
  const members = async (uri: string) => {
    const parsed = RedfishSensor.parse({
      ...{ name: "scan", driver: "redfish", ...connection },
      profiles: [{ profile: "chassis", uri }],
    });
    const client = redfishConnector(parsed, systemClock(), log)();
    try {
      const list = await client.get(uri, AbortSignal.timeout(parsed.timeout_s * 1000));
      return (list && membersOf(list.body)) ?? [];
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      notes.push({ what: `Redfish ${url}${uri}`, found: [], problem });
      return [];
    } finally {
      await client.close();
    }
  };
  const places = [
    { profile: "chassis", name: "bmc", list: "/redfish/v1/Chassis" },
    { profile: "cdu", name: "cdu", list: "/redfish/v1/ThermalEquipment/CDUs" },
  ] as const;
  for (const { profile, name, list } of places) {
    for (const [i, uri] of (await members(list)).entries()) {
      const device = (fields?: readonly MeasuredField[]) => ({
        ...{ name: i === 0 ? name : `${name}-${i + 1}`, driver: "redfish" as const, ...connection },
        profiles: [{ profile, uri, ...(fields ? { fields: [...fields] } : {}) }],
      });
      await attempt(`Redfish ${profile} ${uri}`, device(), device);
    }
  }
}

async function scanMetrics({ url }: NonNullable<ScanTargets["metrics"]>, attempt: Attempt): Promise<void> {
  for (const profile of METRICS_PROFILES) {
    const device = {
      ...{ name: profile, driver: "prometheus" as const, urls: [url] },
      profiles: [profile],
    };
    await attempt(`metrics ${url} (${profile})`, device, () => device);
  }
}

/** Labels by which boards name the sensors in the rack's own air. */
const AIR_LABELS = [
  { field: "inlet_c", label: /inlet|intake|ambient/i },
  { field: "outlet_c", label: /exhaust|outlet/i },
] as const;

/** This machine's own sensors, where their labels say that they measure the rack's air, and its GPUs. */
async function scanHost(attempt: Attempt): Promise<void> {
  const points = (await kernelTemperatures()).flatMap(({ chip, label }) =>
    AIR_LABELS.filter((air) => air.label.test(label)).map(({ field }) => ({ field, chip, sensor: label })),
  );
  const hwmon = (fields: readonly MeasuredField[]) => ({
    ...{ name: "hwmon", driver: "hwmon" as const },
    points: points.filter((point) => fields.includes(point.field)),
  });
  if (points.length > 0) await attempt("Kernel sensors", hwmon(MEASURED_FIELDS), hwmon);
  const gpus = { name: "gpus", driver: "nvidia" as const };
  await attempt("NVIDIA GPUs", gpus, () => gpus);
}

async function kernelTemperatures(): Promise<{ chip: string; label: string }[]> {
  // A container or virtual machine may have none.
  if (!existsSync(HWMON_ROOT)) return [];
  const chips = await hwmonChips(HWMON_ROOT);
  const labels = chips.flatMap(({ folder, name, files }) =>
    files
      .filter((file) => /^temp\d+_label$/.test(file))
      .map(async (file) => ({ chip: name, label: (await textOf(join(folder, file))) ?? "" })),
  );
  return Promise.all(labels);
}
