import * as z from "zod";
import { Secret } from "./common.ts";

/** Where a device answers; credentials have fields of their own, which are never logged. */
export const HttpUrl = z
  .url({ protocol: /^https?$/, error: "an http:// or https:// URL" })
  .refine((url) => !/^https?:\/\/[^/]*@/.test(url), "no credentials in the URL");

/** The SHA-256 of the device's certificate, as `openssl x509 -noout -fingerprint -sha256` prints it. */
const Fingerprint = z
  .string()
  .transform((text) => text.replaceAll(":", "").toLowerCase())
  .refine((hex) => /^[0-9a-f]{64}$/.test(hex), "64 hexadecimal digits, with or without colons");

const Tls = z
  .strictObject({
    /** Certificate authorities (PEM) to trust instead of the system's. */
    ca_file: z.string().min(1).optional(),
    /** Trusts exactly this certificate, whatever name it carries: for devices with a self-signed one. */
    fingerprint_sha256: Fingerprint.optional(),
    /** false: any certificate will do, so that whoever answers at the address is believed. Logged at each start. */
    verify: z.boolean().default(true),
  })
  .refine((tls) => tls.verify || (tls.ca_file ?? tls.fingerprint_sha256) === undefined, {
    path: ["verify"],
    error: "true where ca_file or fingerprint_sha256 is given",
  })
  .prefault({});

/** What every device that is reached over HTTP has. */
export const httpShape = {
  tls: Tls,
  /** A longer answer is refused. */
  response_max_kb: z.int().min(1).max(65_536).default(4_096),
};
export type HttpConfig = z.infer<z.ZodObject<typeof httpShape>>;

export const Basic = z.strictObject({ username: z.string().min(1), password: Secret });
export const Bearer = z.strictObject({ bearer: Secret });

/** A JSON pointer (RFC 6901) to one value of an answer. */
export const Pointer = z
  .string()
  .regex(/^(\/[^/]+)+$/, "a JSON pointer, such as /Temperatures/0/ReadingCelsius");
