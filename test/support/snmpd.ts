import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./temporary.ts";

/**
 * Serves OIDs from a file of lines "OID type value" in the order of their OIDs, as net-snmp's `pass_persist` asks.
 * (Its plain `pass` keeps the last answer for half a minute.)
 */
const PASS_SCRIPT = `
import { readFileSync, writeFileSync, existsSync } from "node:fs";
import { createInterface } from "node:readline";
const [values, refused] = process.argv.slice(2);
const rows = () => readFileSync(values, "utf8").split("\\n").filter(Boolean).map((line) => line.split(" "));
const after = (a, b) => {
  const [x, y] = [a, b].map((oid) => oid.split(".").slice(1).map(Number));
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i] > y[i];
  return x.length > y.length;
};
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => (await lines.next()).value;
const say = (...told) => process.stdout.write(told.join("\\n") + "\\n");
for (let asked = await line(); asked !== undefined; asked = await line()) {
  if (asked === "") continue;
  if (asked === "PING") { say("PONG"); continue; }
  const oid = await line();
  if (asked === "set") {
    const value = (await line()).split(" ").slice(1).join(" ").replaceAll('"', "");
    if (existsSync(refused) && readFileSync(refused, "utf8") === oid) { say("not-writable"); continue; }
    const told = rows().map(([o, t, ...v]) => [o, t, o === oid ? value : v.join(" ")].join(" ") + "\\n");
    writeFileSync(values, told.join(""));
    say("DONE");
    continue;
  }
  const row = rows().find(([own]) => (asked === "get" ? own === oid : after(own, oid)));
  if (row) say(row[0], row[1], row.slice(2).join(" "));
  else say("NONE");
}
`;

/** OIDs with type and value, in the order of their OIDs. */
export type SnmpValues = Readonly<Record<string, readonly [type: string, value: number | string]>>;

export interface Snmpd {
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  tell(values: SnmpValues): void;
  value(oid: string): string | undefined;
  refuse(oid: string): void;
  /** What its log says. */
  log(): string;
}

export const SNMP_USERS = {
  plain: { name: "plain" },
  auth: { name: "auth", auth: { protocol: "sha" as const, password: "auth-sha-secret" } },
  priv: {
    name: "priv",
    auth: { protocol: "sha256" as const, password: "auth-sha256-secret" },
    priv: { protocol: "aes" as const, password: "priv-aes-secret" },
  },
};

/** Debian's snmpd with values of the test's own under 1.3.6.1.4.1 and 1.3.6.1.2.1.99; ended with the test. */
export async function startSnmpd(values: SnmpValues): Promise<Snmpd> {
  const folder = temporaryFolder();
  const port = await freeUdpPort();
  const files = {
    script: join(folder, "pass.mjs"),
    values: join(folder, "values"),
    refused: join(folder, "refused"),
  };
  writeFileSync(files.script, PASS_SCRIPT);
  const pass = [process.execPath, files.script, files.values, files.refused].join(" ");
  const trees = ["318", "13742", "21239", "99999"].map((enterprise) => `.1.3.6.1.4.1.${enterprise}`);
  const config = [
    `agentaddress udp:127.0.0.1:${port}`,
    "rwcommunity secret 127.0.0.1",
    "createUser plain",
    "createUser auth SHA auth-sha-secret",
    "createUser priv SHA-256 auth-sha256-secret AES priv-aes-secret",
    "rouser plain noauth",
    "rwuser auth auth",
    "rwuser priv priv",
    ...[...trees, ".1.3.6.1.2.1.99"].map((tree) => `pass_persist ${tree} ${pass}`),
  ];
  writeFileSync(join(folder, "snmpd.conf"), `${config.join("\n")}\n`);
  let child: ChildProcess | undefined;
  let log = "";
  const snmpd: Snmpd = {
    port,
    async start() {
      child = spawn("/usr/sbin/snmpd", ["-f", "-Lo", "-C", "-c", join(folder, "snmpd.conf"), "-I", "-smux"], {
        env: { ...process.env, SNMP_PERSISTENT_DIR: join(folder, "kept"), MIBS: "" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const out of [child.stdout!, child.stderr!]) {
        out.setEncoding("utf8").on("data", (text: string) => {
          log += text;
        });
      }
      await eventually(`snmpd is up (${log})`, () => /NET-SNMP version/.test(log));
    },
    async stop() {
      const ending = child;
      child = undefined;
      if (!ending) return;
      const ended = new Promise((resolve) => ending.once("close", resolve));
      ending.kill("SIGKILL");
      await ended;
      log = "";
    },
    tell(told) {
      const lines = Object.entries(told).map(([oid, [type, value]]) => `.${oid} ${type} ${value}\n`);
      writeFileSync(files.values, lines.join(""));
    },
    value(oid) {
      const line = readFileSync(files.values, "utf8")
        .split("\n")
        .find((text) => text.startsWith(`.${oid} `));
      return line?.split(" ").slice(2).join(" ");
    },
    refuse(oid) {
      writeFileSync(files.refused, `.${oid}`);
    },
    log: () => log,
  };
  onTestFinished(() => snmpd.stop());
  snmpd.tell(values);
  await snmpd.start();
  return snmpd;
}

function freeUdpPort(): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
