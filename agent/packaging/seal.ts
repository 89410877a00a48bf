import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BaseNode } from "./base-node.ts";
import { ROOT } from "./paths.ts";
import { withoutSymbols } from "./strip.ts";

/** What seal-child.ts is told, as JSON. */
export interface SealOrder {
  /** An absolute path; its folder is also the temporary directory of the child. */
  readonly bundle: string;
  readonly targets: readonly { nodeRange: string; platform: "linux"; arch: string; output: string }[];
}

/**
 * Puts a bundle into copies of Node's executable (`pkg --sea`), one for each of `nodes`. pkg would download the
 * executables; it finds them in its cache instead, which lies in its home directory, which is ours.
 *
 * @param host node for this machine: it prepares the bundle, and must be of the same version as the others
 */
export function seal(
  bundle: string,
  outputs: readonly { node: BaseNode; output: string }[],
  host: BaseNode,
): void {
  const build_folder = dirname(bundle);
  const nodes = new Map([host, ...outputs.map((o) => o.node)].map((node) => [node.arch, node]));
  for (const node of nodes.values()) seedCache(node, build_folder);
  const order: SealOrder = {
    bundle,
    targets: outputs.map(({ node, output }) => {
      return { nodeRange: `node${node.version}`, platform: "linux", arch: node.arch, output };
    }),
  };
  execFileSync(process.execPath, [join(ROOT, "agent/packaging/seal-child.ts"), JSON.stringify(order)], {
    env: { ...process.env, HOME: build_folder, TMPDIR: build_folder },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function seedCache(node: BaseNode, home: string): void {
  const name = `node-v${node.version}-linux-${node.arch}`;
  const cache = join(home, ".pkg-cache/sea");
  const bin = join(cache, name, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "node"), withoutSymbols(readFileSync(node.executable)), { mode: 0o755 });
  // pkg's marks of a finished extraction and of a finished download.
  for (const file of [join(bin, "node.ok"), join(cache, `${name}.tar.gz`), join(cache, `${name}.tar.gz.ok`)])
    writeFileSync(file, "");
}
