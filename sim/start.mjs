#!/usr/bin/env node
// JavaScript, so that the cache of compiled modules is there before the first TypeScript is: stripping even one file of
// its types takes longer than loading all the others from the cache.
import { enableCompileCache } from "node:module";

enableCompileCache();
const { start } = await import("./main.ts");
await start();
