import { parentPort, workerData } from "node:worker_threads";
import { checkBytes } from "./check-bytes.ts";

parentPort?.postMessage(checkBytes(workerData as Uint8Array));
