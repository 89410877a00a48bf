import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { canonicalJson, sha256Hex } from "./canonical.ts";
import { type Rejection, reject } from "./errors.ts";
import { writeWholeFile } from "./whole-file.ts";

/** Ed25519 over the canonical JSON of the message without its `signature` field; base64. */
export function signMessage<T extends { signature?: string | undefined }>(
  message: T,
  key: KeyObject,
): T & { signature: string } {
  return { ...message, signature: sign(null, signedBytes(message), key).toString("base64") };
}

/** False for a missing, malformed or wrong signature. */
export function verifyMessage(message: { signature?: string | undefined }, public_key: KeyObject): boolean {
  if (!message.signature) return false;
  return verify(null, signedBytes(message), public_key, Buffer.from(message.signature, "base64"));
}

/**
 * Checks the signature of a message as it came from the wire: a field that this reader does not know is signed too.
 *
 * @param payload JSON that has been parsed successfully before
 */
export function checkSignature(payload: Uint8Array, public_key: KeyObject): Rejection | undefined {
  const message = JSON.parse(Buffer.from(payload).toString("utf8")) as { signature?: string };
  if (verifyMessage(message, public_key)) return undefined;
  return reject("SKADI_BAD_SIGNATURE", { field: "signature", expected: "a signature of this site's key" });
}

function signedBytes(message: { signature?: string | undefined }): Buffer {
  const { signature: _, ...content } = message;
  return Buffer.from(canonicalJson(content));
}

/** The site's signing key: read from `file`, or made there (mode 0600) with its public half beside it in `file`.pub. */
export function loadOrCreateKey(file: string): {
  private_key: KeyObject;
  public_key: KeyObject;
  created: boolean;
} {
  if (existsSync(file)) {
    const private_key = createPrivateKey(readFileSync(file));
    return { private_key, public_key: createPublicKey(private_key), created: false };
  }
  const pair = generateKeyPairSync("ed25519");
  // The private half last: where it is, the public one is too.
  writeWholeFile(`${file}.pub`, pair.publicKey.export({ type: "spki", format: "pem" }));
  writeWholeFile(file, pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return { private_key: pair.privateKey, public_key: pair.publicKey, created: true };
}

/** Names a public key in manifests and key rings: the first 16 hexadecimal digits of the SHA-256 of its SPKI DER. */
export function keyId(public_key: KeyObject): string {
  return sha256Hex(public_key.export({ type: "spki", format: "der" })).slice(0, 16);
}

/** A PEM public key from a file. */
export function readPublicKey(file: string): KeyObject {
  return createPublicKey(readFileSync(file));
}
