import type * as z from "zod";
import { type Rejection, reject } from "../errors.ts";
import { isSecretName, withoutCredentials } from "../secrecy.ts";
import { PAYLOAD_VERSION } from "./envelope.ts";

/** MQTT payloads and single HTTP samples above this are refused unread. */
export const PAYLOAD_MAX_BYTES = 256 * 1024;

export type Parsed<T> = { ok: true; value: T } | { ok: false; rejections: Rejection[] };

/** One line for a zod issue: which field, what was there, what would have been right. */
function toRejection(issue: z.core.$ZodIssue, field_prefix: string): Rejection {
  const path = issue.path.map(String).join(".");
  const field = field_prefix && path ? `${field_prefix}.${path}` : field_prefix || path || "(payload)";
  const value = mayBeSecret(issue) ? undefined : issue.input;
  const not_finite = typeof value === "number" && !Number.isFinite(value);
  return reject(not_finite ? "SKADI_NOT_FINITE" : "SKADI_INVALID_FIELD", {
    field,
    value,
    expected: expectation(issue),
  });
}

/** What was there may be a mistyped credential, or hold one, and messages are logged. */
function mayBeSecret({ path, input }: z.core.$ZodIssue): boolean {
  if (typeof input === "object" && input !== null) return true;
  if (typeof input === "string" && withoutCredentials(input) !== input) return true;
  return isSecretName(String(path.at(-1)));
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? `${issue.expected} (the field is missing)` : issue.expected;
    case "too_small":
      return `${issue.origin} ≥ ${issue.minimum}${issue.inclusive === false ? " (exclusive)" : ""}`;
    case "too_big":
      return `${issue.origin} ≤ ${issue.maximum}${issue.inclusive === false ? " (exclusive)" : ""}`;
    case "invalid_value":
      return `one of ${issue.values.map((v) => JSON.stringify(v)).join(", ")}`;
    case "unrecognized_keys":
      return `no such key (${issue.keys.join(", ")})`;
    default:
      return issue.message;
  }
}

/** Nothing that Skadi exchanges is nested deeper; what is could overflow the stack of whoever walks through it. */
const DEPTH_MAX = 32;

function deeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => deeperThan(inner, depth - 1));
}

/** Parses a value that is already JavaScript; all wrong fields are reported at once. */
export function parseValue<S extends z.ZodType>(
  schema: S,
  value: unknown,
  field_prefix = "",
): Parsed<z.output<S>> {
  if (deeperThan(value, DEPTH_MAX)) {
    const detail = { field: field_prefix || "(payload)", value: "a deeply nested value" };
    return {
      ok: false,
      rejections: [reject("SKADI_INVALID_FIELD", { ...detail, expected: `≤ ${DEPTH_MAX} levels` })],
    };
  }
  const version = versionOf(value);
  if (version !== undefined && version !== PAYLOAD_VERSION && Number.isInteger(version)) {
    const expected = `v ≤ ${PAYLOAD_VERSION}`;
    const field = field_prefix ? `${field_prefix}.v` : "v";
    return {
      ok: false,
      rejections: [reject("SKADI_UNSUPPORTED_VERSION", { field, value: version, expected })],
    };
  }
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, rejections: result.error.issues.map((issue) => toRejection(issue, field_prefix)) };
}

/** Parses bytes from the wire: size, then JSON, then version, then schema. */
export function parsePayload<S extends z.ZodType>(
  schema: S,
  bytes: Uint8Array,
  max_bytes = PAYLOAD_MAX_BYTES,
): Parsed<z.output<S>> {
  if (bytes.byteLength > max_bytes) {
    const detail = {
      field: "(payload)",
      value: `${bytes.byteLength} bytes`,
      expected: `≤ ${max_bytes} bytes`,
    };
    return { ok: false, rejections: [reject("SKADI_PAYLOAD_TOO_LARGE", detail)] };
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, rejections: [malformedJson(text, error)] };
  }
  return parseValue(schema, value);
}

/** JSON has no NaN or Infinity; where one made the text malformed, the rejection names its field. */
export function malformedJson(text: string, error: unknown): Rejection {
  const token = /"(\w{1,64})"\s*:\s*([+-]?(?:NaN|Infinity))\b/i.exec(text);
  if (token)
    return reject("SKADI_NOT_FINITE", { field: token[1], value: token[2], expected: "a finite number" });
  const reason = error instanceof Error ? error.message : String(error);
  return reject("SKADI_MALFORMED_JSON", { field: "(payload)", value: text, expected: `JSON (${reason})` });
}

function versionOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null || !("v" in value)) return undefined;
  return typeof value.v === "number" ? value.v : undefined;
}
