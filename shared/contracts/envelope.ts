import * as z from "zod";

/** The major version of every payload that this build writes and the newest that it reads. */
export const PAYLOAD_VERSION = 1;

/** Absent means 1; another major version is refused by `parsePayload` before the schema runs. */
export const Version = z.literal(PAYLOAD_VERSION).default(PAYLOAD_VERSION);

/** ISO 8601 instant with an offset or Z. */
export const Timestamp = z.iso.datetime({
  offset: true,
  error: "an ISO 8601 instant such as 2026-01-31T12:00:00Z",
});
