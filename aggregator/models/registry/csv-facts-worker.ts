import { parentPort, workerData } from "node:worker_threads";
import { csvFacts } from "./csv-facts.ts";

parentPort?.postMessage(csvFacts(workerData as string));
