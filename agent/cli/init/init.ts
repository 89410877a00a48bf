import { existsSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import Table from "cli-table3";
import { loadConfig } from "../../../shared/config-file.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { RackId } from "../../../shared/contracts/rack.ts";
import { skadiError } from "../../../shared/errors.ts";
import { createLog } from "../../../shared/log.ts";
import { configText } from "./config-text.ts";
import { type ScanNote, type ScanTargets, scan } from "./scan.ts";

export interface InitFlags {
  out: string;
  force?: boolean;
  rackId?: string;
  site?: string;
  broker?: string;
  redfish?: string;
  redfishUser?: string;
  redfishPasswordFile?: string;
  /** false with --redfish-insecure. */
  redfishInsecure?: boolean;
  snmp?: string;
  snmpPort?: number;
  snmpCommunityFile?: string;
  metrics?: string;
  /** false with --no-host. */
  host: boolean;
  json?: boolean;
}

/**
 * `skadi-agent init`: asks, on a terminal, for what the options leave open; looks at the places named and at this
 * machine; writes a configuration that reads what answered and drives nothing.
 */
export async function init(flags: InitFlags): Promise<void> {
  if (existsSync(flags.out) && !flags.force) {
    const expected = "a file that does not exist yet (or --force)";
    throw skadiError("SKADI_CONFLICT", { field: "out", value: flags.out, expected });
  }
  const answers = process.stdin.isTTY && !flags.json ? await ask(flags) : flags;
  const rack_id = RackId.safeParse(answers.rackId);
  if (!rack_id.success) {
    const expected = "R-<row>-<nn>, such as R-A-01 (--rack-id)";
    throw skadiError("SKADI_INVALID_FIELD", { field: "rack_id", value: answers.rackId, expected });
  }
  const { devices, notes } = await scan(targetsOf(answers), createLog("skadi-agent", "error"));
  const text = configText({
    site: answers.site ?? "dc1",
    rack_id: rack_id.data,
    broker_url: answers.broker ?? "mqtt://127.0.0.1:1883",
    devices,
  });
  writeFileSync(flags.out, text);
  loadConfig(AgentConfig, { file: flags.out, env: {} });
  const found = devices.flatMap(({ fields }) => fields);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ file: flags.out, devices: devices.length, found, notes })}\n`);
    return;
  }
  process.stdout.write(`${notesTable(notes)}\n${flags.out}: ${devices.length} devices, ${found.length} fields.
Next: skadi-agent check --config ${flags.out}
      skadi-agent run --dry-run --config ${flags.out}
`);
}

/** Empty answers leave a thing out, or at its default. */
async function ask(flags: InitFlags): Promise<InitFlags> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const question = async (given: string | undefined, text: string) =>
    given ?? ((await terminal.question(`${text} `)).trim() || undefined);
  try {
    const rackId = await question(flags.rackId, "Rack (R-<row>-<nn>):");
    const site = await question(flags.site, "Site [dc1]:");
    const broker = await question(flags.broker, "Aggregator's broker [mqtt://127.0.0.1:1883]:");
    const redfish = await question(flags.redfish, "Redfish address of BMC or CDU (https://…, empty: none):");
    const redfishUser = redfish && (await question(flags.redfishUser, "  its user:"));
    const redfishPasswordFile =
      redfishUser && (await question(flags.redfishPasswordFile, "  file that holds the password:"));
    const snmp = await question(flags.snmp, "SNMP address of the PDU (empty: none):");
    const snmpCommunityFile =
      snmp && (await question(flags.snmpCommunityFile, "  file that holds the community (empty: public):"));
    const metrics = await question(flags.metrics, "Metrics page of the inference server (empty: none):");
    const answers = { rackId, site, broker, redfish, redfishUser, redfishPasswordFile, snmp };
    const given = { ...answers, snmpCommunityFile, metrics };
    return { ...flags, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) };
  } finally {
    terminal.close();
  }
}

function targetsOf(flags: InitFlags): ScanTargets {
  const { redfish, redfishUser, redfishPasswordFile, snmp, snmpPort, snmpCommunityFile, metrics } = flags;
  return {
    host: flags.host,
    ...(redfish && {
      redfish: {
        url: redfish,
        verify: !flags.redfishInsecure,
        ...(redfishUser && { username: redfishUser }),
        ...(redfishPasswordFile && { password_file: redfishPasswordFile }),
      },
    }),
    ...(snmp && {
      snmp: {
        host: snmp,
        ...(snmpPort && { port: snmpPort }),
        ...(snmpCommunityFile && { community_file: snmpCommunityFile }),
      },
    }),
    ...(metrics && { metrics: { url: metrics } }),
  };
}

function notesTable(notes: readonly ScanNote[]): string {
  const table = new Table({ head: ["looked at", "found"], style: { head: [], border: [] }, wordWrap: true });
  for (const { what, found, problem } of notes) table.push([what, found.join(", ") || `– ${problem ?? ""}`]);
  return table.toString();
}
