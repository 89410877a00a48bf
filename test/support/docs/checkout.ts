import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { temporaryFolder } from "../temporary.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const PROGRAMS = { "skadi-agent": "agent", "skadi-aggregator": "aggregator", "skadi-sim": "sim" };

/** A copy of the project's files as a reader has them after `npm ci`, and a PATH on which its programs are installed. */
export function checkout(): { folder: string; path: string } {
  const folder = join(temporaryFolder(), "skadi");
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter((name) => name && !name.startsWith("test/")))
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const bin = join(folder, "..", "bin");
  mkdirSync(bin);
  for (const [program, part] of Object.entries(PROGRAMS)) {
    const script = join(bin, program);
    writeFileSync(script, `#!/bin/sh\nexec node ${join(folder, part, "start.mjs")} "$@"\n`);
    chmodSync(script, 0o755);
  }
  return { folder, path: [bin, join(ROOT, "node_modules/.bin"), process.env.PATH].join(":") };
}
