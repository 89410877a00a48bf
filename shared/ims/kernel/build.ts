import { readFileSync, writeFileSync } from "node:fs";
import { assemble } from "./assemble.ts";

/** `npm run build:wasm`: assembles nearest.wat and writes it, as text, into the checked-in nearest-wasm.ts. */
const source = new URL("./nearest.wat", import.meta.url);
const target = new URL("./nearest-wasm.ts", import.meta.url);
const base64 = Buffer.from(await assemble(readFileSync(source, "utf8"))).toString("base64");
const lines = base64.match(/.{1,100}/g)?.map((line) => `  "${line}",`) ?? [];
writeFileSync(
  target,
  `// Assembled from nearest.wat by \`npm run build:wasm\`; a test asserts that the two agree.\nexport const NEAREST_WASM_BASE64 = [\n${lines.join("\n")}\n].join("");\n`,
);
