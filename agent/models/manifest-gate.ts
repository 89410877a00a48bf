import { sha256Hex } from "../../shared/canonical.ts";
import { ModelManifest, type Release } from "../../shared/contracts/manifest.ts";
import { PAYLOAD_MAX_BYTES, type Parsed, parsePayload } from "../../shared/contracts/parse.ts";
import { type Rejection, reject } from "../../shared/errors.ts";
import { type TrustedKeys, wrongSigner } from "./trust.ts";

/** How far the clocks of agent and aggregator may be apart before a manifest is taken for expired. */
const CLOCK_SKEW_MS = 300_000;

/** What must be known of the newest accepted manifest to tell an older one, also after a restart. */
export interface AcceptedManifest {
  counter: number;
  /** SHA-256 of the message: the same manifest may be delivered again, another one must not have its counter. */
  digest: string;
  expires_at: string;
}

export interface GateInput {
  payload: Uint8Array;
  /** None: no key is configured, so signatures cannot be checked and only hashes vouch for models. */
  keys: TrustedKeys;
  accepted: AcceptedManifest | null;
  now_ms: number;
}

/**
 * Whether a manifest is authentic and in force. The first reason against it is given: form, signer, counter, expiry.
 * A broker or a thief of old messages can withhold, repeat or delay manifests, but never turn an agent back.
 */
export function judgeManifest(input: GateInput): Parsed<ModelManifest> {
  const { payload, keys, accepted, now_ms } = input;
  const parsed = parsePayload(ModelManifest, payload);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  const again = digestOf(payload) === accepted?.digest;
  const wrong =
    forged(payload, manifest, keys) ??
    // One that was accepted in its time may be delivered again at any time.
    (again ? undefined : (outdated(manifest, accepted) ?? expired(manifest, now_ms)));
  return wrong ? { ok: false, rejections: [wrong] } : parsed;
}

function forged(payload: Uint8Array, { key_id }: ModelManifest, keys: TrustedKeys): Rejection | undefined {
  if (keys.size === 0) return undefined;
  return wrongSigner(JSON.parse(Buffer.from(payload).toString("utf8")), key_id, keys);
}

function outdated({ counter }: ModelManifest, accepted: AcceptedManifest | null): Rejection | undefined {
  if (!accepted || counter > accepted.counter) return undefined;
  return reject("SKADI_STALE_MESSAGE", {
    field: "counter",
    value: counter,
    expected: `above ${accepted.counter}`,
  });
}

function expired(manifest: ModelManifest, now_ms: number): Rejection | undefined {
  const { expires_at } = manifest;
  if (!isExpired({ expires_at }, now_ms)) return undefined;
  const detail = { field: "expires_at", value: expires_at, expected: "an instant to come" };
  return reject("SKADI_MANIFEST_EXPIRED", detail);
}

/** Whether its time is over, beyond what clocks may differ. */
export function isExpired({ expires_at }: { expires_at: string }, now_ms: number): boolean {
  return Date.parse(expires_at) + CLOCK_SKEW_MS < now_ms;
}

/** Names one message; what is longer than any that is read needs no name of its own. */
export function digestOf(payload: Uint8Array): string {
  return sha256Hex(payload.subarray(0, PAYLOAD_MAX_BYTES));
}

/** What one rack should run: its assignment, else what the site runs. */
export function releaseFor({ assignments, release }: ModelManifest, rack_id: string): Release {
  return assignments.find(({ racks }) => racks.includes(rack_id))?.release ?? release;
}
