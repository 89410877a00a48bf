import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { runCli } from "../../shared/cli.ts";
import { type Artefact, packageAgent } from "./package-agent.ts";
import { ARCHES, type Arch, ROOT } from "./paths.ts";

interface Flags {
  arch?: Arch;
  out: string;
  verify?: boolean;
}

const program = new Command("npm run package --")
  .description("builds skadi-agent's single binaries, Debian packages and SHA256SUMS for Linux")
  .addOption(new Option("--arch <arch>", "for one architecture only").choices(ARCHES))
  .option("--out <folder>", "where they go", join(ROOT, "dist"))
  .option("--verify", "build everything a second time, elsewhere, and fail if a byte differs")
  .action(build);

await runCli(program, process.argv);

async function build({ arch, out, verify }: Flags): Promise<void> {
  const arches = arch ? [arch] : ARCHES;
  const options = { cache: join(out, ".cache"), arches, debian: arches };
  const artefacts = await packageAgent({ ...options, folder: out });
  for (const { file, bytes, sha256 } of artefacts)
    process.stdout.write(`${sha256}  ${(bytes / 1e6).toFixed(1).padStart(6)} MB  ${file}\n`);
  if (verify) await buildAgain(artefacts, options, join(out, ".second-build"));
}

async function buildAgain(
  first: readonly Artefact[],
  options: Omit<Parameters<typeof packageAgent>[0], "folder">,
  folder: string,
): Promise<void> {
  const second = await packageAgent({ ...options, folder });
  rmSync(folder, { recursive: true });
  const different = first.filter((artefact, i) => artefact.sha256 !== second[i]?.sha256);
  if (different.length > 0) {
    const names = different.map(({ file }) => basename(file)).join(", ");
    throw new Error(`not reproducible: a second build gave other bytes for ${names}`);
  }
  process.stdout.write(`reproducible: a second build gave the same ${first.length} files\n`);
}
