import * as z from "zod";
import { deviceShape, driveShape, Secret } from "./common.ts";
import { Bearer, HttpUrl, httpShape, Pointer } from "./http.ts";

const Target = z
  .strictObject({
    ...driveShape,
    url: HttpUrl,
    method: z.enum(["PUT", "POST", "PATCH"]).default("PUT"),
    /** What is sent, as JSON. A text "{{value}}" becomes the number, or `automatic`; "{{target}}" the target's name. */
    body: z.json().default({ target: "{{target}}", value: "{{value}}" }),
    /** What stands for the scheduler's own control, both when it is told and when it tells. */
    automatic: z.union([z.null(), z.string(), z.number()]).default(null),
    /** Where the setting in force can be read; default: the url itself. */
    read_url: HttpUrl.optional(),
    /** Where in that answer it stands. none: it cannot be read; what was sent last then counts as in force. */
    read_back: z.union([z.literal("none"), Pointer], "a JSON pointer, such as /weight, or none"),
  })
  .refine(({ body }) => JSON.stringify(body).includes("{{value}}"), {
    path: ["body"],
    error: 'a body with "{{value}}" in it',
  });

/** A scheduler, load balancer or gateway that takes its settings over HTTP. */
export const WebhookDrive = z.strictObject({
  driver: z.literal("webhook"),
  ...deviceShape,
  /** bearer: a token with every request; hmac: a signature over time and body, made with a shared secret. */
  auth: z.union([Bearer, z.strictObject({ hmac: Secret })], "bearer or hmac").optional(),
  ...httpShape,
  targets: z.array(Target).min(1),
});
export type WebhookDrive = z.infer<typeof WebhookDrive>;
