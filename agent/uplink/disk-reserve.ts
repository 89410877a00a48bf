import { rmSync, statfsSync, writeFileSync } from "node:fs";

const RESERVE_BYTES = 1024 * 1024;
/** With less than this free, the outbox makes room inside its file instead of letting it grow. */
const LOW_BYTES = 4 * RESERVE_BYTES;

/** Making room takes room: a rolled-up message is written before the old ones go. So a little is set aside. */
export interface DiskReserve {
  /** Whether the disk has room again, with the reserve set aside. Throws nothing: a disk that fails has none. */
  replenish(): boolean;
  /** Gives the reserve to the database. */
  spend(): void;
}

export function diskReserve(file: string, folder: string): DiskReserve {
  let set_aside = false;
  return {
    replenish() {
      try {
        const { bavail, bsize } = statfsSync(folder);
        if (bavail * bsize < LOW_BYTES) return false;
        if (!set_aside) writeFileSync(file, Buffer.alloc(RESERVE_BYTES, 1));
        set_aside = true;
        return true;
      } catch {
        // The reason shows, and is logged, where the outbox itself writes.
        return false;
      }
    },
    spend() {
      set_aside = false;
      rmSync(file, { force: true });
    },
  };
}
