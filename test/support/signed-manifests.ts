import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { KeyRing, ModelManifest, Release } from "../../shared/contracts/manifest.ts";
import { keyId, signMessage } from "../../shared/signing.ts";

export interface KeyPair {
  id: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export function keyPair(): KeyPair {
  const pair = generateKeyPairSync("ed25519");
  return { ...pair, id: keyId(pair.publicKey) };
}

interface Named {
  id: string;
  sha256: string;
}

/** @param chunks 0: the model travels inside the manifest */
export function releaseOf(model: Named, chunks = 0): Release {
  const bytes = Buffer.byteLength(JSON.stringify(model));
  return { model_id: model.id, sha256: model.sha256, bytes, chunks };
}

/** A manifest that is in force, with its models inside unless `changes` says otherwise. */
export function manifestOf(
  model: Named,
  counter: number,
  key: KeyPair,
  changes: Partial<ModelManifest> = {},
): Buffer {
  const now_ms = Date.now();
  const manifest: ModelManifest = {
    v: 1,
    kind: "ims",
    counter,
    issued_at: new Date(now_ms).toISOString(),
    expires_at: new Date(now_ms + 86_400_000).toISOString(),
    key_id: key.id,
    previous_id: null,
    release: releaseOf(model),
    assignments: [],
    models: [model],
    ...changes,
  };
  return Buffer.from(JSON.stringify(signMessage(manifest, key.privateKey)));
}

/** A ring of these keys, signed by one of the ring before; `earlier` rings go with it, as they are signed apart. */
export function keyRingOf(keys: KeyPair[], counter: number, signer: KeyPair, earlier?: Buffer[]): Buffer {
  const ring: KeyRing = {
    v: 1,
    counter,
    issued_at: "2026-01-01T00:00:00Z",
    key_id: signer.id,
    keys: keys.map(({ id, publicKey }) => ({
      key_id: id,
      public_key_pem: String(publicKey.export({ type: "spki", format: "pem" })),
    })),
  };
  const signed = signMessage(ring, signer.privateKey);
  const path = earlier?.map((one) => ({ ...JSON.parse(one.toString()), earlier: undefined }));
  return Buffer.from(JSON.stringify({ ...signed, ...(path && { earlier: path }) }));
}

/** The model file cut into that many parts. */
export function partsOf(model: object, chunks: number): Buffer[] {
  const bytes = Buffer.from(JSON.stringify(model));
  const size = Math.ceil(bytes.byteLength / chunks);
  return Array.from({ length: chunks }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
}
