import { basename } from "node:path";
import sea from "@yao-pkg/pkg/lib-es5/sea.js";
import type { SealOrder } from "./seal.ts";

// What `pkg --sea` does, except for one thing that pkg's command line cannot be told: the bundle's path is stored in the
// executable. pkg works in a temporary directory next to the bundle, so that this path is the same wherever one builds.
const { bundle, targets } = JSON.parse(process.argv[2]!) as SealOrder;
const main = `../${basename(bundle)}`;
const config = { main, disableExperimentalSEAWarning: true, useSnapshot: false, useCodeCache: false };
await sea.default(bundle, { targets: [...targets], seaConfig: config });
