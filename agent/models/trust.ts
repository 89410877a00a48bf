import { createPublicKey, type KeyObject } from "node:crypto";
import * as z from "zod";
import { KeyRing } from "../../shared/contracts/manifest.ts";
import { type Parsed, parsePayload, parseValue } from "../../shared/contracts/parse.ts";
import { type Rejection, reject } from "../../shared/errors.ts";
import { keyId, verifyMessage } from "../../shared/signing.ts";
import { diskProblem, type OnProblem, readKept, writeWhole } from "./kept-file.ts";

export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** Whose signatures count on this rack. */
export interface Trust {
  /** By key id. Empty: no key was configured, so nobody can be trusted. */
  keys(): TrustedKeys;
  /** Judges a retained key ring as it came from the wire; `true` if other keys are trusted from now on. */
  offer(payload: Uint8Array): Parsed<boolean>;
  /** Resolves when what was accepted is on the disk. */
  settled(): Promise<void>;
}

export interface TrustOptions {
  /** The last accepted ring is kept here. */
  file: string;
  /** The site's key as configured: trusted until a ring that it signed says otherwise. */
  pinned: KeyObject | null;
  onProblem: OnProblem;
}

/** Which ring is in force, and the pinned key that led to it: whoever configures another key starts anew from that. */
const KeptRing = z.object({ v: z.literal(1), pinned: z.string(), ring: KeyRing });

interface Standing {
  counter: number;
  keys: TrustedKeys;
}

/**
 * The keys that this rack trusts: the pinned one at first, then those of the newest ring that a trusted key signed.
 * A ring replaces the one before it, so a key that it leaves out is trusted no more; an older ring cannot come back.
 */
export function openTrust(options: TrustOptions): Trust {
  const { file, pinned, onProblem } = options;
  const pinned_id = pinned ? keyId(pinned) : "";
  let standing: Standing = { counter: 0, keys: new Map(pinned ? [[pinned_id, pinned]] : []) };
  let written: Promise<void> = Promise.resolve();

  const keep = (ring: KeyRing) => {
    const kept = JSON.stringify({ v: 1, pinned: pinned_id, ring: { ...ring, earlier: undefined } });
    written = written
      .then(() => writeWhole(file, kept))
      .catch((error: unknown) => onProblem([diskProblem("writable", error)], file));
  };
  const kept = pinned ? readKept(file, (bytes) => parsePayload(KeptRing, bytes), onProblem) : null;
  if (kept?.pinned === pinned_id) {
    // Its signature was checked when it was accepted; the key that made it may since be gone.
    const keys = keysOf(kept.ring);
    if (keys.ok) standing = { counter: kept.ring.counter, keys: keys.value };
    else onProblem(keys.rejections, file);
  }
  return {
    keys: () => standing.keys,
    offer(payload) {
      if (!pinned) return { ok: false, rejections: [nobody()] };
      const parsed = parsePayload(KeyRing, payload);
      if (!parsed.ok) return parsed;
      const raw = JSON.parse(Buffer.from(payload).toString("utf8")) as RawRing;
      const judged = follow([...(raw.earlier ?? []), raw], standing);
      if (!judged.ok) return judged;
      if (judged.value === standing) return { ok: true, value: false };
      standing = judged.value;
      keep(parsed.value);
      return { ok: true, value: true };
    },
    settled: () => written,
  };
}

type RawRing = { earlier?: unknown[]; signature?: string };

/** Goes from ring to ring, each signed by a key of the one before; those already behind us are passed over. */
function follow(rings: unknown[], from: Standing): Parsed<Standing> {
  let standing = from;
  for (const [i, raw] of rings.entries()) {
    const last = i === rings.length - 1;
    const next = successor(raw, standing, last);
    if (!next.ok) {
      // An early link that leads nowhere from here may be from before this rack's time.
      if (last) return next;
      continue;
    }
    standing = next.value;
  }
  return { ok: true, value: standing };
}

function successor(raw: unknown, standing: Standing, last: boolean): Parsed<Standing> {
  const parsed = parseValue(KeyRing, raw);
  if (!parsed.ok) return parsed;
  const ring = parsed.value;
  if (ring.counter === standing.counter) return { ok: true, value: standing };
  if (ring.counter < standing.counter) {
    if (!last) return { ok: true, value: standing };
    const detail = { field: "counter", value: ring.counter, expected: `≥ ${standing.counter}` };
    return { ok: false, rejections: [reject("SKADI_STALE_MESSAGE", detail)] };
  }
  // What the ring holds beside its own signed content is signed by itself.
  const { earlier: _, ...signed } = raw as RawRing;
  const wrong = wrongSigner(signed, ring.key_id, standing.keys);
  if (wrong) return { ok: false, rejections: [wrong] };
  const keys = keysOf(ring);
  return keys.ok ? { ok: true, value: { counter: ring.counter, keys: keys.value } } : keys;
}

/**
 * Checks that one of the trusted keys signed a message, the one that it names.
 *
 * @param message as it came from the wire: a field that this reader does not know is signed too
 */
export function wrongSigner(
  message: { signature?: string | undefined },
  key_id: string,
  keys: TrustedKeys,
): Rejection | undefined {
  const key = keys.get(key_id);
  if (!key) {
    const expected = `one of ${[...keys.keys()].join(", ") || "none: no key is configured"}`;
    return reject("SKADI_UNKNOWN_KEY", { field: "key_id", value: key_id, expected });
  }
  if (verifyMessage(message, key)) return undefined;
  return reject("SKADI_BAD_SIGNATURE", { field: "signature", expected: `a signature of key ${key_id}` });
}

/** The keys of a ring by their ids, each of which must be the key's own. */
function keysOf(ring: KeyRing): Parsed<TrustedKeys> {
  const keys = new Map<string, KeyObject>();
  for (const [i, { key_id, public_key_pem }] of ring.keys.entries()) {
    const key = readKey(public_key_pem);
    if (!key || keyId(key) !== key_id) {
      const detail = { field: `keys.${i}`, value: key_id, expected: "an Ed25519 public key with its own id" };
      return { ok: false, rejections: [reject("SKADI_INVALID_FIELD", detail)] };
    }
    keys.set(key_id, key);
  }
  return { ok: true, value: keys };
}

/** null for what is no Ed25519 public key. */
function readKey(pem: string): KeyObject | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

function nobody(): Rejection {
  const expected = "the site's public key in the agent's configuration";
  return reject("SKADI_UNKNOWN_KEY", { field: "trust.public_key_file", expected });
}
