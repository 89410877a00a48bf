import { parentPort, workerData } from "node:worker_threads";
import { validateModelBytes } from "../../shared/ims/model-file.ts";

parentPort?.postMessage(validateModelBytes(workerData as Uint8Array));
