import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.ts";

const LICENCE_FILE = /^(licen[cs]e|copying)/i;
const RULE = "-".repeat(78);

interface Manifest {
  name: string;
  version: string;
  license?: string;
  author?: string | { name: string };
}

/** The copyright file: Skadi's licence, Node's, and that of every npm package of which a file is in the bundle. */
export function copyrightText(
  bundled_files: readonly string[],
  node: { version: string; licence: string },
): string {
  const parts = [
    section("Skadi", readFileSync(join(ROOT, "LICENSE"), "utf8")),
    ...packageFolders(bundled_files).map(packageSection),
    section(`Node.js ${node.version}, and what it contains`, readFileSync(node.licence, "utf8")),
  ];
  return parts.join("\n");
}

function packageFolders(files: readonly string[]): string[] {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

function packageSection(folder: string): string {
  const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
  const title = `${manifest.name} ${manifest.version}`;
  const file = readdirSync(join(ROOT, folder)).find((name) => LICENCE_FILE.test(name));
  if (file) return section(title, readFileSync(join(ROOT, folder, file), "utf8"));
  if (!manifest.license) throw new Error(`${folder}: has neither a licence file nor a license field`);
  const author = typeof manifest.author === "object" ? manifest.author.name : manifest.author;
  return section(title, `Licence: ${manifest.license}\nCopyright: ${author ?? "the package's authors"}`);
}

function section(title: string, text: string): string {
  return `${RULE}\n${title}\n${RULE}\n\n${text.trim()}\n`;
}
