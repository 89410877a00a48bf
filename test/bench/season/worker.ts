import { parentPort } from "node:worker_threads";
import { runHall } from "./hall.ts";

/** One hall per message: a seed comes in, its season goes out. */
parentPort?.on("message", (seed: number) => parentPort?.postMessage(runHall(seed)));
