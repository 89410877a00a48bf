import { basename } from "node:path";
import sea from "@yao-pkg/pkg/lib-es5/sea.js";
import type { SealOrder } from "./seal.ts";

// What `pkg --sea` does, with two settings that pkg's command line does not take.
const { bundle, targets } = JSON.parse(process.argv[2]!) as SealOrder;
// This path is stored in the executable. Seen from pkg's temporary directory, which is next to the bundle, it is the same
// wherever one builds.
const main = `../${basename(bundle)}`;
const execArgv = [
  // Node keeps quiet about url.parse() in node_modules, where mqtt has it, but not in a bundle.
  "--disable-warning=DEP0169",
  // Interpreted, never compiled: for what an agent has to do that is fast enough, and takes half the memory. It also means
  // that the process never has memory that it could both write and execute.
  "--jitless",
  "--optimize-for-size",
  "--max-semi-space-size=4",
];
const config = {
  main,
  execArgv,
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  useCodeCache: false,
};
await sea.default(bundle, { targets: [...targets], seaConfig: config });
