import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { diskReserve } from "./disk-reserve.ts";
import { type LetterFile, openLetterFile, type StoredLetter } from "./letter-file.ts";
import { LANES, type Lane, type Letter, laneOf, type Outbox } from "./outbox.ts";
import { rollUpSlice } from "./roll-up-slice.ts";

export interface DiskOutboxOptions {
  file: string;
  /** Letters; beyond three quarters of it old history is rolled up, at all of it dropped. */
  capacity: number;
  /** The database file's size in bytes, under the same rule. The write-ahead log and the reserve add about 2 MB. */
  bytes_max: number;
  clock: Clock;
  log: Log;
}

const CROWDED_SHARE = 0.75;
const FULL_SHARE = 0.95;
/** On a disk without room the file must not grow, so this many pages within it are kept free for new letters. */
const SPARE_PAGES = 64;
const SPARE_PAGES_MIN = 8;
const DROP_SLICE = 16;
/** It takes so many new letters to complete another run. */
const LOOK_AGAIN = 12;
/** Confirmed letters are removed together, or with the next letter: one fsync for many. */
const CONFIRM_BATCH = 64;
/** After a kill, nobody knows which of the oldest letters arrived: those on their way, and those just confirmed. */
const POSSIBLY_SENT = 100;
const READ_AHEAD = 32;
/** Letters that are kept in memory, at most, while the disk cannot be written. */
const MEMORY_MAX = 20_000;
/** A disk that fails, or takes longer than SLOW_MS, is left alone for this long, so that it cannot hold up the loops. */
const RETRY_AFTER_MS = 30_000;
const SLOW_MS = 1_000;
/** How many letters are added between two looks at the disk's free space. */
const LOOK_EVERY = 50;

/** SQLite's result codes (sqlite.org/rescode.html). */
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/**
 * An outbox in one SQLite file, which loses nothing by a kill or a power cut: a letter is on the disk when `add`
 * returns, and is removed when the broker has it. A kill between the two sends a letter again, which the aggregator
 * recognises by rack and `seq`.
 *
 * Without room, the oldest history is rolled up, a slice with each letter added so that no call takes long; when all of
 * it is, the oldest is dropped, and news last. Nothing is rolled up that may have reached the aggregator, or its energy
 * would count twice. While the disk fails, letters wait in memory and move to the disk when it is back.
 */
export function diskOutbox(options: DiskOutboxOptions): Outbox {
  const { file, capacity, bytes_max, clock, log } = options;
  const reserve = diskReserve(`${file}.reserve`, dirname(file));
  /** null: cannot be opened. */
  let disk: LetterFile | null = null;
  let leave_disk_until_ms = Number.NEGATIVE_INFINITY;
  let complained = false;
  /** The disk has no room: the file must not grow. */
  let tight = false;
  let adds = 0;
  /** Rolling up had nothing left to free, and will not before so many letters were added. */
  let look_again_at = 0;
  let on_disk = 0;
  let dropped = 0;
  let rolled_up = 0;
  let last_seq = 0;
  /** History up to this id has left, is on its way, or may have been sent by an earlier run. */
  let sent_to = 0;
  /** Letters that are only in memory, oldest first. */
  let unsaved: Letter[] = [];
  /** Removed from the disk with the next write. */
  let confirmed: StoredLetter[] = [];
  const lanes = {
    news: { queue: [] as Letter[], read_to: 0, under_way: new Set<Letter>() },
    history: { queue: [] as Letter[], read_to: 0, under_way: new Set<Letter>() },
  };

  const open = () => {
    try {
      disk = openLetterFile(file, bytes_max);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      moveAside(error);
      disk = openLetterFile(file, bytes_max);
    }
    on_disk = disk.count();
    last_seq = Math.max(last_seq, disk.lastSeq());
    sent_to = disk.nthHistoryId(POSSIBLY_SENT);
    for (const lane of LANES) lanes[lane].read_to = 0;
  };

  const moveAside = (error: unknown) => {
    for (const suffix of ["-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
    renameSync(file, `${file}.corrupt`);
    log.error({ event: "outbox_corrupt", moved_to: `${file}.corrupt`, lost: on_disk, err: error });
  };

  /** Runs a task on the disk; false if the disk cannot be used now. The letters are safe either way. */
  const onDisk = (task: (disk: LetterFile) => void): boolean => {
    if (clock.now() < leave_disk_until_ms) return false;
    const started_ms = performance.now();
    try {
      if (!disk) open();
      if (disk) task(disk);
      complained = false;
      const took_ms = performance.now() - started_ms;
      if (took_ms > SLOW_MS) {
        log.error({ event: "outbox_slow", file, took_ms });
        leave_disk_until_ms = clock.now() + RETRY_AFTER_MS;
      }
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };

  const failed = (error: unknown) => {
    if (isCorrupt(error) && disk) startAgain(error);
    else leave_disk_until_ms = clock.now() + RETRY_AFTER_MS;
    // Once per trouble: a disk that is full must not fill the log as well.
    if (!complained) log.error({ event: "outbox_not_on_disk", file, err: error });
    complained = true;
  };

  /** A new file in place of one that is found corrupt. What is in memory of the old one stays. */
  const startAgain = (error: unknown) => {
    const readable = LANES.flatMap((lane) => lanes[lane].queue);
    const under_way = LANES.flatMap((lane) => [...lanes[lane].under_way]);
    const stored = [...readable, ...under_way].filter(isStored).length + confirmed.length;
    dropped += Math.max(0, on_disk - stored);
    for (const lane of LANES) {
      lanes[lane].queue = lanes[lane].queue.map(forgetId);
      lanes[lane].under_way = new Set([...lanes[lane].under_way].map(forgetId));
    }
    confirmed = [];
    try {
      disk?.close();
      disk = null;
      moveAside(error);
      on_disk = 0;
    } catch (cause) {
      log.error({ event: "outbox_not_moved", file, err: cause });
      leave_disk_until_ms = clock.now() + RETRY_AFTER_MS;
    }
  };

  /** One transaction: what is confirmed goes, room is made, what waits in memory is written. */
  const write = (disk: LetterFile, slices: number) => {
    const batch = unsaved;
    const gone = confirmed;
    let merged = 0;
    let given_up = 0;
    let exhausted = adds < look_again_at;
    disk.transaction(() => {
      for (const letter of gone) disk.remove(laneOf(letter.channel), letter.id);
      const rows = () => on_disk - gone.length - merged - given_up;
      for (
        let i = 0;
        !exhausted && i < slices && isCrowded(disk, rows() + batch.length, CROWDED_SHARE);
        i++
      ) {
        const freed = rollUpSlice(disk, Math.max(sent_to, lanes.history.read_to));
        merged += freed.merged;
        given_up += freed.unreadable;
        exhausted = freed.merged + freed.unreadable === 0;
        if (exhausted) look_again_at = adds + LOOK_AGAIN;
      }
      for (
        let i = 0;
        exhausted && i < DROP_SLICE && isCrowded(disk, rows() + batch.length, FULL_SHARE);
        i++
      ) {
        const drops = dropOldest(disk);
        if (drops === 0) break;
        given_up += drops;
      }
      for (const letter of batch) disk.insert(letter);
      disk.setLastSeq(last_seq);
    });
    on_disk += batch.length - gone.length - merged - given_up;
    rolled_up += merged;
    dropped += given_up;
    unsaved = [];
    confirmed = [];
  };

  const isCrowded = (disk: LetterFile, rows: number, share: number): boolean => {
    if (share === FULL_SHARE ? rows > capacity : rows > capacity * share) return true;
    const { used_bytes, free_pages } = disk.pages();
    if (used_bytes > bytes_max * share) return true;
    return tight && free_pages < (share === FULL_SHARE ? SPARE_PAGES_MIN : SPARE_PAGES);
  };

  /** Never one that is on its way. */
  const dropOldest = (disk: LetterFile): number => {
    for (const lane of ["history", "news"] as const) {
      const [oldest] = disk.after(lane, lanes[lane].read_to, 1);
      if (!oldest) continue;
      disk.remove(lane, oldest.id);
      return 1;
    }
    return 0;
  };

  const save = () => {
    onDisk((disk) => {
      if (adds % LOOK_EVERY === 0) tight = !reserve.replenish();
      try {
        write(disk, 1);
      } catch (error) {
        if (resultCode(error) !== SQLITE_FULL) throw error;
        if (!tight) log.error({ event: "outbox_disk_full", file });
        tight = true;
        reserve.spend();
        disk.checkpoint();
        write(disk, DROP_SLICE);
      }
    });
    if (unsaved.length > MEMORY_MAX) {
      const oldest = unsaved.findIndex((letter) => laneOf(letter.channel) === "history");
      unsaved.splice(Math.max(0, oldest), 1);
      dropped++;
    }
  };

  const readAhead = (lane: Lane) => {
    onDisk((disk) => {
      const letters = disk.after(lane, lanes[lane].read_to, READ_AHEAD);
      lanes[lane].queue = letters;
      lanes[lane].read_to = letters.at(-1)?.id ?? lanes[lane].read_to;
    });
  };

  /**
   * The next of a lane that only memory has. It came after everything of its lane on the disk, but does not wait for a
   * disk that cannot be read: the aggregator files what is late where it belongs.
   */
  const takeUnsaved = (lane: Lane): Letter | undefined => {
    const at = unsaved.findIndex((letter) => laneOf(letter.channel) === lane);
    return at < 0 ? undefined : unsaved.splice(at, 1)[0];
  };

  onDisk(() => {});
  return {
    add(letter) {
      if (letter.channel === "telemetry") last_seq = Math.max(last_seq, letter.seq ?? 0);
      unsaved.push(letter);
      save();
      adds++;
    },
    take(lane) {
      const { queue, under_way } = lanes[lane];
      if (queue.length === 0 && on_disk > confirmed.length) readAhead(lane);
      const letter = lanes[lane].queue.shift() ?? takeUnsaved(lane);
      if (letter) under_way.add(letter);
      return letter;
    },
    confirm(letter) {
      const { under_way } = lanes[laneOf(letter.channel)];
      if (!under_way.delete(letter)) return;
      if (isStored(letter)) confirmed.push(letter);
      const idle = LANES.every((lane) => lanes[lane].under_way.size === 0);
      if (confirmed.length > 0 && (idle || confirmed.length >= CONFIRM_BATCH)) save();
    },
    giveBack() {
      for (const lane of LANES) {
        lanes[lane].queue = [...lanes[lane].under_way, ...lanes[lane].queue];
        lanes[lane].under_way.clear();
      }
    },
    close() {
      leave_disk_until_ms = Number.NEGATIVE_INFINITY;
      save();
      disk?.close();
      disk = null;
    },
    get last_seq() {
      return last_seq;
    },
    get size() {
      return on_disk - confirmed.length + inMemory();
    },
    get unsaved() {
      return inMemory();
    },
    get dropped() {
      return dropped;
    },
    get rolled_up() {
      return rolled_up;
    },
  };

  function inMemory(): number {
    const held = LANES.flatMap((lane) => [...lanes[lane].queue, ...lanes[lane].under_way]);
    return unsaved.length + held.filter((letter) => !isStored(letter)).length;
  }
}

function isStored(letter: Letter): letter is StoredLetter {
  return "id" in letter;
}

/** The uplink confirms the very object that it took, so this one stays and only loses its place on the disk. */
function forgetId(letter: Letter): Letter {
  if ("id" in letter) delete letter.id;
  return letter;
}

function resultCode(error: unknown): number | null {
  // The lower byte is the primary result code.
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : null;
}

function isCorrupt(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}
