import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { completionScript } from "../../shared/completion/command.ts";
import { packageVersion } from "../../shared/version.ts";
import { program } from "../main.ts";
import { baseNode } from "./base-node.ts";
import { bundleAgent } from "./bundle.ts";
import { buildDebianPackage } from "./debian-package.ts";
import { copyrightText } from "./licences.ts";
import { manPage } from "./man-page.ts";
import { ARCHES, type Arch, ROOT } from "./paths.ts";
import { seal } from "./seal.ts";

/** For sources that are no git checkout and builds without SOURCE_DATE_EPOCH. */
const DEFAULT_EPOCH_S = Date.UTC(2026, 0, 1) / 1000;

export interface PackageOptions {
  /** Where the results go; created if need be. */
  readonly folder: string;
  /** Where Node's executables for other architectures are kept between builds. */
  readonly cache: string;
  readonly arches: readonly Arch[];
  /** The architectures that also get a Debian package. */
  readonly debian: readonly Arch[];
}

export interface Artefact {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Builds binaries, Debian packages and SHA256SUMS. The same sources give the same bytes, wherever they are built.
 *
 * @throws Error if this is no Linux on x64 or arm64, or if a tool or an executable of Node is missing
 */
export async function packageAgent({ folder, cache, arches, debian }: PackageOptions): Promise<Artefact[]> {
  const host_arch = ARCHES.find((arch) => arch === process.arch);
  if (process.platform !== "linux" || !host_arch)
    throw new Error(
      `packaging needs linux on ${ARCHES.join(" or ")}; this is ${process.platform} ${process.arch}`,
    );
  const work = join(folder, ".work");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });

  const version = packageVersion();
  const epoch_s = sourceDate();
  const bundle = join(work, "skadi-agent.cjs");
  const bundled_files = await bundleAgent(bundle);
  const built = arches.map((arch) => {
    return { arch, node: baseNode(arch, cache), output: join(work, `skadi-agent-${version}-linux-${arch}`) };
  });
  seal(bundle, built, baseNode(host_arch, cache));

  const completions = {
    bash: completionScript("bash", program),
    zsh: completionScript("zsh", program),
    fish: completionScript("fish", program),
  };
  const page = manPage(program, new Date(epoch_s * 1000));
  const results = built.flatMap(({ arch, node, output }) => {
    const binary = join(folder, basename(output));
    renameSync(output, binary);
    if (!debian.includes(arch)) return [binary];
    const copyright = copyrightText(bundled_files, node);
    const contents = { arch, version, binary, man_page: page, completions, copyright, epoch_s };
    return [binary, buildDebianPackage(contents, join(work, "deb"), folder)];
  });
  rmSync(work, { recursive: true });

  const artefacts = results.map(artefact);
  const sums = artefacts.map(({ sha256, file }) => `${sha256}  ${basename(file)}\n`).join("");
  writeFileSync(join(folder, "SHA256SUMS"), sums);
  return artefacts;
}

function artefact(file: string): Artefact {
  const content = readFileSync(file);
  return { file, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}

/** Seconds since 1970: SOURCE_DATE_EPOCH, else the time of the last commit. */
function sourceDate(): number {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH) {
    if (!/^\d+$/.test(SOURCE_DATE_EPOCH))
      throw new Error(`SOURCE_DATE_EPOCH: got ${SOURCE_DATE_EPOCH}; expected seconds since 1970`);
    return Number(SOURCE_DATE_EPOCH);
  }
  try {
    const time = execFileSync("git", ["log", "-1", "--format=%ct"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(time);
  } catch {
    // An unpacked archive, or no git here: any date will do, if it is always the same.
    return DEFAULT_EPOCH_S;
  }
}
