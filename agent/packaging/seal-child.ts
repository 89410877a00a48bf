import { basename } from "node:path";
import sea from "@yao-pkg/pkg/lib-es5/sea.js";
import type { SealOrder } from "./seal.ts";

// What `pkg --sea` does, with two settings that pkg's command line does not take.
const { bundle, targets } = JSON.parse(process.argv[2]!) as SealOrder;
// This path is stored in the executable. Seen from pkg's temporary directory, which is next to the bundle, it is the same
// wherever one builds.
const main = `../${basename(bundle)}`;
// Node keeps quiet about url.parse() in node_modules, where mqtt has it, but not in a bundle.
const execArgv = ["--disable-warning=DEP0169"];
const config = {
  main,
  execArgv,
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  useCodeCache: false,
};
await sea.default(bundle, { targets: [...targets], seaConfig: config });
