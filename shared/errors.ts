import type { Rejection } from "./contracts/rejection.ts";
import { isSecretName, withoutCredentials } from "./secrecy.ts";

export type { Rejection };

/**
 * Every rejection and failure that a user can meet, with its HTTP status and a one-line meaning.
 * Codes are stable: clients match on them; the message may improve.
 */
export const ERROR_TABLE = {
  SKADI_MALFORMED_JSON: { status: 422, meaning: "the payload is not valid JSON" },
  SKADI_INVALID_FIELD: { status: 422, meaning: "a field is missing, of the wrong type or out of range" },
  SKADI_NOT_FINITE: { status: 422, meaning: "a number is NaN or infinite" },
  SKADI_UNSUPPORTED_VERSION: {
    status: 422,
    meaning: "the payload's major version is newer than this reader",
  },
  SKADI_PAYLOAD_TOO_LARGE: { status: 413, meaning: "the payload exceeds the size limit" },
  SKADI_UNKNOWN_RACK: { status: 422, meaning: "the rack is not part of this site" },
  SKADI_RACK_MISMATCH: { status: 422, meaning: "the payload's rack_id differs from the topic's" },
  SKADI_UNAUTHORIZED: { status: 401, meaning: "the request needs a valid bearer token" },
  SKADI_NOT_FOUND: { status: 404, meaning: "nothing is stored under that name" },
  SKADI_RATE_LIMITED: { status: 429, meaning: "too many requests in the window" },
  SKADI_CONFLICT: { status: 409, meaning: "the request contradicts the current state" },
  SKADI_NO_SIMULATOR: { status: 503, meaning: "no simulator is connected to this site" },
  SKADI_NO_MODEL: { status: 503, meaning: "no valid model is loaded" },
  SKADI_BAD_CONFIG: { status: 500, meaning: "the configuration has wrong fields" },
  SKADI_BAD_DATA: { status: 422, meaning: "the data file cannot be used" },
  SKADI_MODEL_SCHEMA: { status: 422, meaning: "the model file does not fit its schema" },
  SKADI_MODEL_HASH: { status: 422, meaning: "the model file's SHA-256 does not match its content" },
  SKADI_MODEL_GOLDEN: { status: 422, meaning: "the model does not reproduce its golden samples" },
  SKADI_MODEL_FEATURES: { status: 422, meaning: "the model's features are not the ones this build computes" },
  SKADI_MODEL_THRESHOLDS: { status: 422, meaning: "the model's tau_persist is not above its tau_fast" },
  SKADI_MODEL_MISMATCH: { status: 422, meaning: "the payload is not the model that the manifest names" },
  SKADI_MODEL_INCOMPLETE: { status: 422, meaning: "parts of the model are missing or cut short" },
  SKADI_MODEL_UNAVAILABLE: {
    status: 422,
    meaning: "the model needs features that this rack does not deliver",
  },
  SKADI_MODEL_SHADOW: {
    status: 409,
    meaning: "on the rack's own last hour the model raises far more alarms than the present one",
  },
  SKADI_BAD_SIGNATURE: { status: 401, meaning: "the signature is missing or does not verify" },
  SKADI_UNKNOWN_KEY: { status: 401, meaning: "the message is signed by a key that is not trusted" },
  SKADI_MANIFEST_EXPIRED: { status: 409, meaning: "the manifest has expired" },
  SKADI_STALE_MESSAGE: { status: 409, meaning: "the message is expired or older than one already seen" },
  SKADI_LIMIT: { status: 422, meaning: "the value lies outside the device's configured limits" },
  SKADI_DRIVER: { status: 502, meaning: "a sensor or actuator driver failed" },
  SKADI_MQTT: { status: 502, meaning: "the MQTT broker cannot be reached or refused the request" },
  SKADI_INTERNAL: { status: 500, meaning: "an unexpected failure; the log has the details" },
} as const;

export type ErrorCode = keyof typeof ERROR_TABLE;

const VALUE_MAX_CHARS = 80;

/** Shortens a value so that a hostile payload cannot flood a log line or an acknowledgement, and blanks secrets. */
function briefValue(detail: unknown): unknown {
  if (detail === undefined || detail === null || typeof detail === "boolean") return detail;
  if (typeof detail === "number") return Number.isFinite(detail) ? detail : String(detail);
  const value = withoutSecrets(detail);
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  if (text.length <= VALUE_MAX_CHARS) return value;
  return `${text.slice(0, VALUE_MAX_CHARS)}… (${text.length} characters)`;
}

/** What configurations have under the name of a secret, and credentials in a URL. */
function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return withoutCredentials(value);
  const text = JSON.stringify(value, (key, inner) =>
    isSecretName(key) ? "(secret)" : typeof inner === "string" ? withoutSecrets(inner) : inner,
  );
  return text === undefined ? value : JSON.parse(text);
}

/** Builds a rejection; the message repeats field, value and expectation so that one line tells all. */
export function reject(
  code: ErrorCode,
  detail: { field?: string | undefined; value?: unknown; expected?: string | undefined } = {},
): Rejection {
  const value = briefValue(detail.value);
  const parts = [ERROR_TABLE[code].meaning as string];
  if (detail.field !== undefined) parts.push(`field ${detail.field}`);
  if (value !== undefined) parts.push(`got ${JSON.stringify(value)}`);
  if (detail.expected !== undefined) parts.push(`expected ${detail.expected}`);
  return {
    code,
    message: parts.join("; "),
    ...(detail.field === undefined ? {} : { field: detail.field }),
    ...(value === undefined ? {} : { value }),
    ...(detail.expected === undefined ? {} : { expected: detail.expected }),
  };
}

/** The thrown form of one or more rejections. */
export class SkadiError extends Error {
  readonly code: ErrorCode;
  readonly rejections: Rejection[];

  constructor(rejections: Rejection | Rejection[], options?: ErrorOptions) {
    const list = Array.isArray(rejections) ? rejections : [rejections];
    super(list.map((r) => r.message).join("\n"), options);
    this.name = "SkadiError";
    this.code = list[0]?.code ?? "SKADI_INTERNAL";
    this.rejections = list;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

/** Shorthand for throwing one rejection. */
export function skadiError(code: ErrorCode, detail: Parameters<typeof reject>[1] = {}): SkadiError {
  return new SkadiError(reject(code, detail));
}
