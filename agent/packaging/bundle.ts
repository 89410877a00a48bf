import { type BuildOptions, build } from "esbuild";
import { ROOT } from "./paths.ts";

/**
 * Bundles the agent into one CommonJS file, the only kind that a single executable of Node 24 starts from. Without
 * comments and blanks, because the whole text stays in memory; with all its names, because a stack trace in a log must
 * stay readable.
 *
 * @returns the bundled source files, relative to the project
 */
export async function bundleAgent(outfile: string): Promise<string[]> {
  const worker = await build({ ...COMMON, entryPoints: ["agent/models/check-worker.ts"], write: false });
  const { metafile } = await build({
    ...COMMON,
    entryPoints: ["agent/main.ts"],
    outfile,
    define: {
      "import.meta.main": "true",
      // Within the single binary a thread has no file to start from.
      SKADI_CHECK_WORKER: JSON.stringify(worker.outputFiles[0]?.text),
    },
  });
  return [...new Set([metafile, worker.metafile].flatMap(({ inputs }) => Object.keys(inputs)))].sort();
}

const COMMON = {
  absWorkingDir: ROOT,
  // Paths end up in the bundle: they must not depend on where node_modules really is.
  preserveSymlinks: true,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  minifyWhitespace: true,
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
  // Only without the bundle is anything looked for beside its own file.
  logOverride: { "empty-import-meta": "silent" },
  // Modbus over a serial line needs native code; the agent speaks Modbus TCP.
  external: ["serialport"],
} as const satisfies BuildOptions;
