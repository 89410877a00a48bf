import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { SHELLS, type Shell } from "../../shared/completion/command.ts";
import { type Arch, ROOT } from "./paths.ts";
import { systemdUnits } from "./units.ts";

const DEBIAN_ARCH = { x64: "amd64", arm64: "arm64" } as const;
/** Where each shell looks for the completion of a program of this name. */
const COMPLETIONS: Readonly<Record<Shell, string>> = {
  bash: "usr/share/bash-completion/completions/skadi-agent",
  zsh: "usr/share/zsh/vendor-completions/_skadi-agent",
  fish: "usr/share/fish/vendor_completions.d/skadi-agent.fish",
};
const CONFFILE = "/etc/skadi/agent.yaml";

interface Contents {
  readonly arch: Arch;
  readonly version: string;
  readonly binary: string;
  readonly man_page: string;
  /** Scripts that complete its commands. */
  readonly completions: Readonly<Record<Shell, string>>;
  readonly copyright: string;
  /** Seconds since 1970: the time of every file in the package. */
  readonly epoch_s: number;
}

export function debianPackageName(version: string, arch: Arch): string {
  return `skadi-agent_${version}_${DEBIAN_ARCH[arch]}.deb`;
}

/**
 * Lays the package out in `tree` and packs it into `folder`. The same contents give the same bytes.
 *
 * @returns the package's path
 */
export function buildDebianPackage(contents: Contents, tree: string, folder: string): string {
  rmSync(tree, { recursive: true, force: true });
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    const target = join(tree, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
    chmodSync(target, mode);
  };

  const binary = join(tree, "usr/bin/skadi-agent");
  mkdirSync(dirname(binary), { recursive: true });
  copyFileSync(contents.binary, binary);
  chmodSync(binary, 0o755);
  for (const unit of systemdUnits()) put(`usr/lib/systemd/system/${unit.name}`, unit.content);
  put(CONFFILE, readFileSync(join(ROOT, "config/agent.yaml")));
  put("usr/share/man/man1/skadi-agent.1.gz", gzipSync(contents.man_page, { level: 9 }));
  for (const shell of SHELLS) put(COMPLETIONS[shell], contents.completions[shell]);
  put("usr/share/doc/skadi-agent/copyright", contents.copyright);

  const installed = files(tree);
  const sums = installed.map((file) => `${md5(file)}  ${relative(tree, file)}\n`).join("");
  const installed_kib = Math.ceil(installed.reduce((sum, file) => sum + statSync(file).size, 0) / 1024);
  put("DEBIAN/control", control(contents, installed_kib));
  put("DEBIAN/conffiles", `${CONFFILE}\n`);
  put("DEBIAN/md5sums", sums);
  for (const script of ["postinst", "prerm", "postrm"])
    put(`DEBIAN/${script}`, readFileSync(new URL(`./debian/${script}`, import.meta.url)), 0o755);
  stamp(tree, contents.epoch_s);

  const output = join(folder, debianPackageName(contents.version, contents.arch));
  // One thread, because xz packs differently with several; level 1, because more costs a minute for 15 % less.
  const compression = ["-Zxz", "-z1", "--threads-max=1"];
  execFileSync("dpkg-deb", ["--root-owner-group", ...compression, "--build", tree, output], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(contents.epoch_s) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return output;
}

function control({ version, arch }: Contents, installed_kib: number): string {
  return `Package: skadi-agent
Version: ${version}
Architecture: ${DEBIAN_ARCH[arch]}
Maintainer: Skadi maintainers <maintainers@skadi.invalid>
Installed-Size: ${installed_kib}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 7)
Suggests: ipmitool
Section: admin
Priority: optional
Description: rack agent of Skadi, safety and energy brain of an AI data centre
 Reads one rack's sensors, scores every sample against nominal operation,
 guards the rack every five seconds with or without a network, and publishes
 over MQTT. Drives nothing unless it is told to.
`;
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function md5(file: string): string {
  return createHash("md5").update(readFileSync(file)).digest("hex");
}

/** One time for all, and folders that everybody may enter, whatever the builder's umask is. */
function stamp(tree: string, epoch_s: number): void {
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    utimesSync(path, epoch_s, epoch_s);
  }
  chmodSync(tree, 0o755);
  utimesSync(tree, epoch_s, epoch_s);
}
