import type { Release } from "../../shared/contracts/manifest.ts";
import { type Rejection, reject } from "../../shared/errors.ts";

/** The parts of one model as they come in: in any order, more than once, or cut short. */
export interface Chunks {
  /** Takes a part; true if it completes the model. A part that comes again replaces the one before. */
  add(n: number, part: Uint8Array): boolean;
  /** The model file's bytes; null while parts are missing or cut short. */
  bytes(): Buffer<ArrayBuffer> | null;
  /** What is still wrong with an incomplete model. */
  problem(): Rejection;
}

/** Never holds more than the release announces, whatever is sent. */
export function collectChunks({ chunks, bytes }: Pick<Release, "chunks" | "bytes">): Chunks {
  const parts = new Map<number, Buffer>();
  let held = 0;
  const complete = () => parts.size === chunks && held === bytes;
  return {
    add(n, part) {
      // An empty message is what ends a retained one.
      if (n >= chunks || part.byteLength === 0) return false;
      const grown = held - (parts.get(n)?.byteLength ?? 0) + part.byteLength;
      if (grown > bytes) return false;
      // A copy: the message may be a view into a larger buffer that would stay in memory with it.
      parts.set(n, Buffer.from(part));
      held = grown;
      return complete();
    },
    bytes() {
      if (!complete()) return null;
      return Buffer.concat(Array.from({ length: chunks }, (_, n) => parts.get(n)!));
    },
    problem() {
      const missing = Array.from({ length: chunks }, (_, n) => n).filter((n) => !parts.has(n));
      const value = missing.length > 0 ? `no part ${missing.join(", ")}` : `${held} bytes`;
      const expected = `${bytes} bytes in ${chunks} parts`;
      return reject("SKADI_MODEL_INCOMPLETE", { field: "release", value, expected });
    },
  };
}
