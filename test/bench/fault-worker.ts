import { parentPort, workerData } from "node:worker_threads";
import type { HealthDescription } from "../../shared/contracts/health.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { createDayDetector } from "./fault-detection.ts";
import { faultSchedule } from "./fault-schedule.ts";
import { runDay } from "./fault-windows.ts";

/** One day per message: a seed comes in, its DayResult goes out. */
const { model, health } = workerData as { model: ModelFile; health: HealthDescription };

parentPort?.on("message", (seed: number) => {
  const schedule = faultSchedule(seed);
  const detector = createDayDetector(model, health);
  runDay(seed, schedule, (rack, end_s, x) => detector.feed(rack, end_s * 1000, x));
  parentPort?.postMessage(detector.result(seed, schedule));
});
