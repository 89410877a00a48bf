import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { rowFormatter, writeAll } from "./csv-format.ts";
import { emptySlots, type Slots } from "./slots.ts";

/** What the writing thread is given. */
export interface CsvThreadData {
  fd: number;
  labels: boolean;
  slot_rows: number;
  slots: Slots;
  /** In: names, in the order of their places. Out: why writing failed. */
  port: MessagePort;
}

/** Formats and writes the rows that another thread packs. */
function run({ fd, labels, slot_rows, slots, port }: CsvThreadData): void {
  const format = rowFormatter(slot_rows, labels);
  emptySlots(slots, (packed) => {
    try {
      writeAll(fd, format(packed, received(port)));
    } catch (error) {
      port.postMessage(error);
      throw error;
    }
  });
}

function received(port: MessagePort): string[] {
  const names: string[] = [];
  for (let m = receiveMessageOnPort(port); m; m = receiveMessageOnPort(port)) names.push(m.message);
  return names;
}

run(workerData as CsvThreadData);
