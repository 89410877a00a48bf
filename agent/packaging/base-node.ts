import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Arch, ROOT } from "./paths.ts";

export interface BaseNode {
  readonly arch: Arch;
  readonly version: string;
  /** The executable that becomes the agent's. */
  readonly executable: string;
  readonly licence: string;
}

interface Locked {
  version: string;
  integrity: string;
}

/**
 * Node's executable for an architecture, from the npm package that package-lock.json pins: the installed one, else one
 * that npm fetches into `cache`. A foreign architecture's package is never installed: it would take over `.bin/node`.
 *
 * @throws Error if npm cannot fetch it, or if what it fetched is not what the lock file says
 */
export function baseNode(arch: Arch, cache: string): BaseNode {
  const name = `node-linux-${arch}`;
  const locked = lockedPackage(name);
  const installed = join(ROOT, "node_modules", name);
  const folder = installedVersion(installed) === locked.version ? installed : fetched(name, locked, cache);
  return {
    arch,
    version: locked.version,
    executable: join(folder, "bin/node"),
    licence: join(folder, "LICENSE"),
  };
}

function lockedPackage(name: string): Locked {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const locked: Locked | undefined = lock.packages[`node_modules/${name}`];
  if (!locked) throw new Error(`package-lock.json: expected an entry for ${name}`);
  return locked;
}

function installedVersion(folder: string): string | null {
  if (!existsSync(join(folder, "bin/node"))) return null;
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

function fetched(name: string, { version, integrity }: Locked, cache: string): string {
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(folder)) return join(folder, "package");
  mkdirSync(cache, { recursive: true });
  const tarball = `${folder}.tgz`;
  if (!existsSync(tarball)) {
    execFileSync("npm", ["pack", `${name}@${version}`, "--pack-destination", cache, "--silent"], {
      cwd: cache,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const found = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (found !== integrity) {
    rmSync(tarball);
    throw new Error(`${tarball}: got ${found}; expected ${integrity}, as package-lock.json has it`);
  }
  // Renamed when complete, so that an interrupted extraction is not taken for a finished one.
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial);
  execFileSync("tar", ["-xzf", tarball, "-C", partial, "package/bin/node", "package/LICENSE"]);
  renameSync(partial, folder);
  return join(folder, "package");
}
