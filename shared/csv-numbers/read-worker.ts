import { parentPort, workerData } from "node:worker_threads";
import { parseBlocks, type SharedRead } from "./blocks.ts";

/** Parses its share of a file and posts what was wrong with it, if anything. */
parentPort?.postMessage(parseBlocks(workerData as SharedRead));
