import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const COMPRESSIBLE = /\.(js|css|svg|html)$/;

/** Leaves .gz and .br beside every text file, for the server to send as they are. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      const root = join(import.meta.dirname, folder);
      for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
        if (!COMPRESSIBLE.test(name)) continue;
        const content = readFileSync(join(root, name));
        writeFileSync(join(root, `${name}.gz`), gzipSync(content, { level: 9 }));
        writeFileSync(join(root, `${name}.br`), brotliCompressSync(content));
      }
    },
  };
}

/** `npm run build:dashboard`, or with a running aggregator on port 8000 `npx vite aggregator/dashboard` while working on it. */
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [compressed()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // light-dark(), <dialog> and nesting are used as they are.
    target: ["chrome123", "firefox125", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: {
    proxy: {
      "^/(state|racks|incidents|actions|heatmap|timeline|mode|mms|ims|optimizer|savings|demo|quarantine|maintenance|health|audit|schedules|docs|report)(/|\\?|$)":
        "http://127.0.0.1:8000",
      "/ws": { target: "http://127.0.0.1:8000", ws: true },
    },
  },
});
