import { build } from "esbuild";
import { ROOT } from "./paths.ts";

/**
 * Bundles the agent into one CommonJS file, the only kind that a single executable of Node 24 starts from. Not minified:
 * a stack trace in a log must stay readable.
 *
 * @returns the bundled source files, relative to the project
 */
export async function bundleAgent(outfile: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: ["agent/main.ts"],
    absWorkingDir: ROOT,
    // Paths end up in the bundle: they must not depend on where node_modules really is.
    preserveSymlinks: true,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    outfile,
    metafile: true,
    legalComments: "none",
    logLevel: "warning",
    define: { "import.meta.main": "true" },
    // Modbus over a serial line needs native code; the agent speaks Modbus TCP.
    external: ["serialport"],
  });
  return Object.keys(metafile.inputs).sort();
}
