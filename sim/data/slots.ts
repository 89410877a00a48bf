/** Memory of two threads: slots of numbers that one of them fills and the other empties, in turn. */
export interface Slots {
  /** Int32: how many slots have been filled, and emptied; the latter is FAILED if it gave up. */
  counters: SharedArrayBuffer;
  /** Int32: how many values each slot has; none marks the end. */
  used: SharedArrayBuffer;
  /** Float64 */
  values: SharedArrayBuffer;
}

const FILLED = 0;
const EMPTIED = 1;
const FAILED = -1;
/** A thread that gives no sign of life for so long has died. */
const SILENCE_MAX_MS = 60_000;

export function sharedSlots(count: number, slot_values: number): Slots {
  return {
    counters: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
    used: new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT),
    values: new SharedArrayBuffer(count * slot_values * Float64Array.BYTES_PER_ELEMENT),
  };
}

function views(slots: Slots) {
  const counters = new Int32Array(slots.counters);
  const used = new Int32Array(slots.used);
  const slot_values = slots.values.byteLength / Float64Array.BYTES_PER_ELEMENT / used.length;
  const slot = (n: number, length = slot_values) =>
    new Float64Array(slots.values, (n % used.length) * slot_values * Float64Array.BYTES_PER_ELEMENT, length);
  return { counters, used, slot };
}

/** The counter's value once it is no longer one for which `early` holds. */
function waitWhile(counters: Int32Array, counter: number, early: (value: number) => boolean): number {
  for (;;) {
    const value = Atomics.load(counters, counter);
    if (!early(value)) return value;
    if (Atomics.wait(counters, counter, value, SILENCE_MAX_MS) === "timed-out")
      throw new Error(`the other thread has not gone on for ${SILENCE_MAX_MS / 1000} s`);
  }
}

function pass(counters: Int32Array, counter: number): void {
  Atomics.add(counters, counter, 1);
  Atomics.notify(counters, counter);
}

/** The end of the thread that fills slots. */
export function slotFiller(slots: Slots) {
  const { counters, used, slot } = views(slots);
  let filled = 0;
  return {
    /** The next slot to fill, or null if the other thread has failed. */
    next(): Float64Array | null {
      const emptied = waitWhile(counters, EMPTIED, (n) => n !== FAILED && filled - n === used.length);
      return emptied === FAILED ? null : slot(filled);
    },
    /** Hands the slot over; no values: it was the last. */
    hand(values: number): void {
      used[filled % used.length] = values;
      filled++;
      pass(counters, FILLED);
    },
    /** Waits for the other thread to empty all slots; false if it has failed. */
    drained(): boolean {
      return waitWhile(counters, EMPTIED, (n) => n !== FAILED && n < filled) !== FAILED;
    },
  };
}

/** Empties slots until the last; if `use` throws, the other thread learns that this one has failed. */
export function emptySlots(slots: Slots, use: (values: Float64Array) => void): void {
  const { counters, used, slot } = views(slots);
  try {
    for (let emptied = 0; ; emptied++) {
      waitWhile(counters, FILLED, (n) => n <= emptied);
      const values = used[emptied % used.length]!;
      if (values > 0) use(slot(emptied, values));
      pass(counters, EMPTIED);
      if (values === 0) return;
    }
  } catch (error) {
    Atomics.store(counters, EMPTIED, FAILED);
    Atomics.notify(counters, EMPTIED);
    throw error;
  }
}
