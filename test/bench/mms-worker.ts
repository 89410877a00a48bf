import { parentPort, workerData } from "node:worker_threads";
import { RACKS } from "./fault-schedule.ts";
import { runDay } from "./fault-windows.ts";
import { createMmsDay, type Learnt } from "./mms-day.ts";
import { mmsSchedule } from "./mms-schedule.ts";

/** One day per message: a seed comes in, what was found (or, to fit, what was shown) goes out. */
const { learnt, fit } = workerData as { learnt: Learnt; fit: boolean };

parentPort?.on("message", (seed: number) => {
  const schedule = mmsSchedule(seed);
  const day = createMmsDay(learnt, seed, schedule);
  runDay(seed, schedule, (rack, end_s, x) => {
    day.feed(rack, end_s * 1000, x);
    if (rack === RACKS.length - 1) day.look(end_s * 1000);
  });
  parentPort?.postMessage(fit ? day.instances() : day.result());
});
