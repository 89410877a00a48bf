import { createHash } from "node:crypto";

/**
 * JSON with object keys sorted and no white space: the same value always gives the same bytes, which is what
 * hashes and signatures need (the idea of RFC 8785; numbers are written as JavaScript writes them).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    const record = inner as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(record)
        .sort()
        .map((key) => [key, record[key]]),
    );
  });
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
