import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { KEY_RINGS_KEPT, KeyRing } from "../../../shared/contracts/manifest.ts";
import { parsePayload } from "../../../shared/contracts/parse.ts";
import { skadiError } from "../../../shared/errors.ts";
import { keyId, loadOrCreateKey, signMessage } from "../../../shared/signing.ts";
import { isoTime } from "../../../shared/time.ts";
import { writeWholeFile } from "../../../shared/whole-file.ts";

/** What the aggregator signs with, and what agents are to trust. */
export interface SiteKeys {
  /** Signs with the current key; a manifest names it besides. */
  sign<T extends { signature?: string | undefined }>(message: T): T & { signature: string };
  current_id(): string;
  /** The file that a new agent is given. */
  public_key_file(): string;
  /** By id; null for one that is not in the ring. */
  trusted(key_id: string): KeyObject | null;
  /** Signed, as agents get it; null while the first key is the only one that there ever was. */
  ring(): KeyRing | null;
  keys(): { key_id: string; since: string; current: boolean }[];
  /** A new key signs from now on; agents learn of it by a ring that the key before it signs. */
  rotate(counter: number, now_ms: number): string;
  /** Drops keys that were replaced longer ago than agents are given time for; whether there were any. */
  retire(counter: () => number, now_ms: number): boolean;
}

/** Which files hold the keys of the ring, oldest first; the last one signs. */
const KeyBook = z.object({
  keys: z.array(z.object({ key_id: z.string(), file: z.string(), since: Timestamp })).min(1),
  ring: KeyRing.nullable(),
  /** The rings before it, oldest first: the way for agents that were away. */
  earlier: z.array(KeyRing),
});
type KeyBook = z.infer<typeof KeyBook>;

interface HeldKey {
  key_id: string;
  file: string;
  since: string;
  private_key: KeyObject;
  public_key: KeyObject;
}

const BOOK = "ring.json";
/** A ring holds no more (its contract); who rotates that often has lost more than keys. */
const RING_MAX = 8;

/**
 * The keys of a site: the first one in `file`, those of later rotations beside it. The book is replaced whole, after
 * a new key is on the disk, so a crash leaves either the ring before or the ring after.
 */
export function openSiteKeys(file: string, overlap_ms: number): SiteKeys {
  const folder = dirname(file);
  const first = loadOrCreateKey(file);
  const book_file = join(folder, BOOK);
  let book = readBook(book_file) ?? {
    keys: [{ key_id: keyId(first.public_key), file, since: isoTime(0) }],
    ring: null,
    earlier: [],
  };
  let held = book.keys.map(hold);
  const current = () => held.at(-1)!;

  const keep = (next: HeldKey[], counter: number, now_ms: number) => {
    // A key that agents trusted before.
    const signer = current();
    const ring: KeyRing = {
      v: 1,
      counter,
      issued_at: isoTime(now_ms),
      key_id: signer.key_id,
      keys: next.map(({ key_id, public_key }) => ({ key_id, public_key_pem: pem(public_key) })),
    };
    const keys = next.map(({ key_id, file: of_key, since }) => ({ key_id, file: of_key, since }));
    const earlier = [...book.earlier, ...(book.ring ? [book.ring] : [])].slice(-KEY_RINGS_KEPT);
    const written: KeyBook = { keys, ring: signMessage(ring, signer.private_key), earlier };
    writeWholeFile(book_file, JSON.stringify(written, null, 2), { mode: 0o600 });
    book = written;
    held = next;
  };
  return {
    sign: (message) => signMessage(message, current().private_key),
    current_id: () => current().key_id,
    public_key_file: () => `${current().file}.pub`,
    trusted: (key_id) => held.find((key) => key.key_id === key_id)?.public_key ?? null,
    ring: () => book.ring && { ...book.ring, earlier: book.earlier },
    keys: () => held.map(({ key_id, since }) => ({ key_id, since, current: key_id === current().key_id })),
    rotate(counter, now_ms) {
      if (held.length >= RING_MAX) {
        const expected = `fewer than ${RING_MAX} keys that agents still trust`;
        throw skadiError("SKADI_CONFLICT", { field: "keys", value: held.length, expected });
      }
      const made = join(folder, `site-${counter}.pem`);
      const { public_key } = loadOrCreateKey(made);
      const key_id = keyId(public_key);
      keep([...held, hold({ key_id, file: made, since: isoTime(now_ms) })], counter, now_ms);
      return key_id;
    },
    retire(counter, now_ms) {
      // A key is replaced when the next one begins.
      const left = held.filter((_, i) => {
        const next = held[i + 1];
        return !next || now_ms - Date.parse(next.since) < overlap_ms;
      });
      if (left.length === held.length) return false;
      keep(left, counter(), now_ms);
      return true;
    },
  };
}

function hold({ key_id, file, since }: KeyBook["keys"][number]): HeldKey {
  const private_key = createPrivateKey(readFileSync(file));
  return { key_id, file, since, private_key, public_key: createPublicKey(private_key) };
}

function readBook(file: string): KeyBook | null {
  if (!existsSync(file)) return null;
  const parsed = parsePayload(KeyBook, readFileSync(file));
  if (parsed.ok) return parsed.value;
  throw skadiError("SKADI_BAD_DATA", { field: file, expected: parsed.rejections[0]?.message });
}

const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
