import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Programs that tests run beside Skadi, and the Debian packages that bring them. */
const NEEDED = [
  { program: "mosquitto_pub", package: "mosquitto-clients" },
  { program: "mosquitto", package: "mosquitto" },
  { program: "chromium", package: "chromium" },
  { program: "prometheus-node-exporter", package: "prometheus-node-exporter" },
  { program: "promtool", package: "prometheus" },
  { program: "protoc", package: "protobuf-compiler" },
  { program: "docker-compose", package: "docker-compose" },
  { program: "snmpwalk", package: "snmp" },
  { program: "ipmitool", package: "ipmitool" },
  { program: "ipmi_sim", package: "openipmi" },
  { program: "cc", package: "gcc" },
  { program: "snmpd", package: "snmpd" },
  { program: "qemu-aarch64-static", package: "qemu-user-static" },
  { program: "man", package: "man-db" },
  // Not a program, but what an emulated one is linked with.
  { program: "libstdc++.so.6", package: "libstdc++6-arm64-cross" },
  { program: "systemd-notify", package: "systemd" },
  { program: "python3", package: "python3" },
  { program: "tmux", package: "tmux" },
  { program: "zsh", package: "zsh" },
  { program: "fish", package: "fish" },
] as const;

/** Where Debian keeps the libraries of arm64 programs on other machines. */
export const AARCH64_ROOT = "/usr/aarch64-linux-gnu";

const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", `${AARCH64_ROOT}/lib`];

export function hasProgram(program: string): boolean {
  return FOLDERS.some((folder) => existsSync(`${folder}/${program}`));
}

/** Installs what is missing where this is Debian and we are root; elsewhere says loudly what will be skipped. */
export default function setup(): void {
  const missing = NEEDED.filter(({ program }) => !hasProgram(program)).map((n) => n.package);
  if (missing.length === 0) return;
  const can_install = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (can_install && (install(missing) || (updateLists() && install(missing)))) return;
  process.stdout.write(`\n*** MISSING: ${missing.join(", ")}: the tests that need them are SKIPPED ***\n\n`);
}

function install(packages: readonly string[]): boolean {
  process.stdout.write(`installing ${packages.join(", ")} …\n`);
  return apt(["install", "-y", "-q", "--no-install-recommends", ...packages]);
}

function updateLists(): boolean {
  return apt(["update", "-q"]);
}

function apt(args: readonly string[]): boolean {
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", args, { env, stdio: ["ignore", "ignore", "pipe"], timeout: 240_000 });
    return true;
  } catch (error) {
    process.stdout.write(
      `apt-get ${args[0]} failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return false;
  }
}
