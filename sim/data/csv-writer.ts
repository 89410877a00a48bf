import { closeSync, fstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { startHelper } from "../../shared/helper-thread.ts";
import { headerLine, PACKED_ROW, packRow, rowFormatter, writeAll } from "./csv-format.ts";
import type { CsvThreadData } from "./csv-thread.ts";
import type { DataRow, RowSink } from "./data-row.ts";
import { sharedSlots, slotFiller } from "./slots.ts";

/** Enough slots to keep the generator busy while the other thread starts. */
const SLOTS = 24;
const SLOT_ROWS = 8_192;

export interface CsvWriter {
  write: RowSink;
  /** Flushes and closes; returns the number of rows and bytes written. */
  close(): { rows: number; bytes: number };
}

/**
 * Streams rows to a CSV file. Formatting takes as long as drawing the rows, so a second thread does it, and writes;
 * a file of few rows is done before that one would have started.
 *
 * @throws Error of the file system, from any of its calls
 */
export function csvWriter(path: string, { labels }: { labels: boolean }): CsvWriter {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "w");
  writeAll(fd, Buffer.from(headerLine(labels), "latin1"));
  const names = nameList();
  let thread: WritingThread | null = null;
  let packed: Float64Array = new Float64Array(SLOT_ROWS * PACKED_ROW);
  let used = 0;
  let rows = 0;

  const hand = () => {
    if (thread === null) {
      thread = startThread({ fd, labels, slot_rows: SLOT_ROWS });
      thread.slot().set(packed);
    }
    thread.hand(used, names.added());
    packed = thread.slot();
    used = 0;
  };
  return {
    write(row: DataRow) {
      if (used === packed.length) hand();
      packRow(row, labels, names.place, packed, used);
      used += PACKED_ROW;
      rows++;
    },
    close() {
      if (thread === null)
        writeAll(fd, rowFormatter(SLOT_ROWS, labels)(packed.subarray(0, used), names.added()));
      else {
        if (used > 0) thread.hand(used, names.added());
        thread.end();
      }
      const bytes = fstatSync(fd).size;
      closeSync(fd);
      return { rows, bytes };
    },
  };
}

/** Numbers names in the order of their first use. */
function nameList() {
  const places = new Map<string, number>();
  let added: string[] = [];
  return {
    place(name: string): number {
      const known = places.get(name);
      if (known !== undefined) return known;
      added.push(name);
      places.set(name, places.size);
      return places.size - 1;
    },
    /** Those that are new since the last call. */
    added(): string[] {
      const list = added;
      added = [];
      return list;
    },
  };
}

interface WritingThread {
  /** Room for the next rows; waits for some. */
  slot(): Float64Array;
  /** Hands the slot over, and the names that its rows are the first to use. */
  hand(values: number, names: readonly string[]): void;
  /** Waits until all is written. */
  end(): void;
}

function startThread(data: Omit<CsvThreadData, "slots" | "port">): WritingThread {
  const slots = sharedSlots(SLOTS, SLOT_ROWS * PACKED_ROW);
  const { port1, port2 } = new MessageChannel();
  const thread_data: CsvThreadData = { ...data, slots, port: port2 };
  startHelper(new URL("./csv-thread.ts", import.meta.url), thread_data, [port2]).unref();
  const filler = slotFiller(slots);
  const failure = () => receiveMessageOnPort(port1)?.message ?? new Error("writing the CSV file failed");
  const slot = () => {
    const next = filler.next();
    if (next) return next;
    throw failure();
  };
  return {
    slot,
    hand(values, names) {
      for (const name of names) port1.postMessage(name);
      filler.hand(values);
    },
    end() {
      slot();
      filler.hand(0);
      if (!filler.drained()) throw failure();
    },
  };
}
