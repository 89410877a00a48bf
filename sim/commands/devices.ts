import { Command, InvalidArgumentError, Option } from "commander";
import { integerOption, numberOption } from "../../shared/cli.ts";
import { RackId, rowOf } from "../../shared/contracts/rack.ts";
import { skadiError } from "../../shared/errors.ts";
import { createLog } from "../../shared/log.ts";
import { LOG_LEVELS } from "../../shared/log-levels.ts";
import { untilStopSignal } from "../../shared/process.ts";
import { pace, virtualClock } from "../../shared/time.ts";
import { DEVICE_LOGINS, type RackDevices, serveRackDevices } from "../devices/serve.ts";
import { SNMP_PROFILES, type SnmpProfileName } from "../devices/snmp/agent.ts";
import { FAULT_KINDS, type Fault, type FaultKind } from "../plant/faults.ts";
import { createPlant } from "../plant/plant.ts";
import { SENSOR_FIELDS, type SensorField } from "../plant/sensors.ts";

const ROW_RACKS = 12;

interface DevicesFlags {
  rack: string;
  host: string;
  snmpPort: number;
  modbusPort: number;
  redfishPort: number;
  prometheusPort: number;
  profile: SnmpProfileName;
  unitId: number;
  tls?: boolean;
  fault: ScheduledFault[];
  speed: number;
  seed: number;
  duration?: number;
  logLevel: (typeof LOG_LEVELS)[number];
  json?: boolean;
}

interface ScheduledFault {
  kind: FaultKind;
  field: SensorField | null;
  severity: number;
  at_s: number;
}

/** `skadi-sim devices`: one simulated rack as real protocols, for trying a configuration without hardware. */
export function devicesCommand(): Command {
  const port = integerOption(0, 65_535);
  return new Command("devices")
    .description("serve one simulated rack over SNMP, Modbus TCP, Redfish and Prometheus")
    .option("--rack <id>", "which rack of its row of 12", "R-C-07")
    .option(
      "--host <address>",
      "where to listen; the logins are public knowledge, so leave it local",
      "127.0.0.1",
    )
    .option("--snmp-port <n>", "UDP; 0: any free port", port, 0)
    .option("--modbus-port <n>", "TCP; 0: any free port", port, 0)
    .option("--redfish-port <n>", "TCP; 0: any free port", port, 0)
    .option("--prometheus-port <n>", "TCP; 0: any free port", port, 0)
    .addOption(
      new Option("--profile <make>", "make of the rack PDU")
        .choices(Object.keys(SNMP_PROFILES))
        .default("apc"),
    )
    .option("--unit-id <n>", "Modbus unit", integerOption(1, 247), 1)
    .option("--tls", "Redfish over HTTPS with a certificate made at start (needs openssl)")
    .option(
      "--fault <kind[:field][=severity]@seconds>",
      "inject a fault after simulated seconds, e.g. pump_degradation=0.6@60; repeatable",
      (text: string, before: ScheduledFault[]) => [...before, scheduledFault(text)],
      [],
    )
    .option("--speed <x>", "simulated seconds per real second", numberOption(0.01, 1_000), 1)
    .option("--seed <n>", "seed of hall and load", integerOption(0), 1)
    .option("--duration <s>", "stop by itself after this many real seconds", numberOption(1, 1e7))
    .addOption(new Option("--log-level <level>", "what to log").choices(LOG_LEVELS).default("info"))
    .option("--json", "print the addresses as one JSON line")
    .action(devices);
}

async function devices(flags: DevicesFlags): Promise<void> {
  const rack_id = flags.rack;
  const rack_ids = rowAround(rack_id);
  const log = createLog("skadi-sim", flags.logLevel);
  const clock = virtualClock(Date.now());
  const plant = createPlant({ rack_ids, seed: flags.seed, start_ms: clock.now() });
  const served = await serveRackDevices({
    plant,
    rack_id,
    log,
    clock,
    host: flags.host,
    snmp_port: flags.snmpPort,
    modbus_port: flags.modbusPort,
    redfish_port: flags.redfishPort,
    prometheus_port: flags.prometheusPort,
    profile: flags.profile,
    unit_id: flags.unitId,
    tls: flags.tls ?? false,
  });
  for (const scheduled of flags.fault) {
    clock.after(scheduled.at_s * 1000, () => {
      const fault = faultOf(scheduled, rack_id);
      plant.inject(fault);
      log.info({ event: "fault_injected", ...fault });
    });
  }
  const stopTime = pace(clock, flags.speed);
  try {
    process.stdout.write(flags.json ? `${JSON.stringify(addresses(served))}\n` : overview(served));
    await Promise.race([untilStopSignal(), over(flags.duration)]);
  } finally {
    stopTime();
    await served.close();
  }
}

/** The rack's row, so that its neighbours' hot air is there too. */
function rowAround(rack_id: string): string[] {
  if (!RackId.safeParse(rack_id).success) {
    throw skadiError("SKADI_INVALID_FIELD", { field: "--rack", value: rack_id, expected: "e.g. R-C-07" });
  }
  const row = rowOf(rack_id);
  const position = Number(rack_id.split("-")[2]);
  const first = Math.max(1, position - ROW_RACKS / 2);
  const name = (n: number) => `R-${row}-${String(n).padStart(2, "0")}`;
  const ids = Array.from({ length: ROW_RACKS }, (_, i) => name(first + i));
  return ids.map((id) => (Number(id.split("-")[2]) === position ? rack_id : id));
}

function scheduledFault(text: string): ScheduledFault {
  const match = /^([a-z_]+)(?::([a-z0-9_]+))?(?:=([\d.]+))?@([\d.]+)$/.exec(text);
  const [, kind, field, severity = "1", at_s] = match ?? [];
  const known = FAULT_KINDS.find((candidate) => candidate === kind);
  if (!known)
    throw new InvalidArgumentError(`expected kind@seconds, with a kind of ${FAULT_KINDS.join(", ")}`);
  const sensor = SENSOR_FIELDS.find((candidate) => candidate === field) ?? null;
  if (known.startsWith("sensor_") !== (sensor !== null)) {
    throw new InvalidArgumentError(
      `sensor faults, and only they, name a sensor: ${SENSOR_FIELDS.join(", ")}`,
    );
  }
  const strength = Number(severity);
  if (!(strength >= 0 && strength <= 1)) throw new InvalidArgumentError("expected a severity from 0 to 1");
  return { kind: known, field: sensor, severity: strength, at_s: Number(at_s) };
}

function faultOf({ kind, field, severity }: ScheduledFault, rack_id: string): Fault {
  return { kind, rack_id, severity, ...(field === null ? {} : { field }) } as Fault;
}

function addresses({ rack_id, host, snmp, modbus, redfish, prometheus }: RackDevices) {
  return {
    rack_id,
    snmp: { host, port: snmp.port, profile: snmp.profile },
    modbus: { host, port: modbus.port, unit_id: modbus.unit_id },
    redfish: { url: redfish.url },
    prometheus: { url: `${prometheus.url}/metrics` },
    scheduler: { url: `${prometheus.url}/v1/scheduler/racks/${rack_id}` },
  };
}

function overview(served: RackDevices): string {
  const { rack_id, snmp, modbus, redfish, prometheus, scheduler } = addresses(served);
  const logins = DEVICE_LOGINS;
  const users = logins.snmp_users.map(({ name, auth_key, priv_key }) => `${name} (${auth_key}, ${priv_key})`);
  const lines = [
    `rack ${rack_id}; Ctrl-C stops`,
    `SNMP        ${snmp.host}:${snmp.port} (${snmp.profile})`,
    `            v2c ${logins.snmp_read_community}, ${logins.snmp_write_community}; v3 SHA/AES ${users.join(", ")}`,
    `Modbus TCP  ${modbus.host}:${modbus.port}, unit ${modbus.unit_id}`,
    `Redfish     ${redfish.url}/redfish/v1 (${logins.redfish_user} / ${logins.redfish_password})`,
    `Prometheus  ${prometheus.url}`,
    `Scheduler   ${scheduler.url} (Bearer ${logins.scheduler_token})`,
  ];
  return `${lines.join("\n")}\n`;
}

function over(duration_s: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (duration_s !== undefined) setTimeout(resolve, duration_s * 1000).unref();
  });
}
