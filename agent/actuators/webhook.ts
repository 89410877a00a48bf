import { createHmac, randomUUID } from "node:crypto";
import type { RackTarget } from "../../shared/contracts/action.ts";
import type { WebhookDrive } from "../../shared/contracts/devices/webhook.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import {
  type HttpClient,
  type HttpRequest,
  httpClient,
  jsonOf,
  noteTrust,
  unexpected,
} from "../devices/http.ts";
import { follow, stepsOf } from "../devices/json-pointer.ts";
import { revealSecret } from "../devices/secret.ts";
import type { DriveDevice } from "./drive.ts";
import { fromRaw, targetOf, toRaw } from "./targets.ts";

type Target = WebhookDrive["targets"][number];

/**
 * Tells a scheduler its settings over HTTP. Each change carries an `idempotency-key` that stays the same when it has
 * to be sent again, and with a shared secret `x-skadi-timestamp` (seconds since the epoch) and
 * `x-skadi-signature: sha256=<hex>`, the HMAC-SHA256 of "<timestamp>.<body>".
 */
export function webhookDrive(config: WebhookDrive, clock: Clock, log: Log): DriveDevice {
  const urls = config.targets.map(({ url }) => url);
  noteTrust(config, urls, config.auth !== undefined && "bearer" in config.auth, log);
  let client: HttpClient | null = null;
  /** Changes that were sent, but not seen to arrive. */
  const unsettled = new Map<RackTarget, { value: number | null; key: string }>();
  /** What was sent last, for targets that cannot be read back. */
  const sent = new Map<RackTarget, number | null>();

  const shut = async () => {
    const old = client;
    client = null;
    await old?.close();
  };
  const request = async (what: HttpRequest, signal: AbortSignal) => {
    if (!client) throw new Error("not open");
    const headers = { accept: "application/json", ...what.headers, ...credentials(config.auth, what, clock) };
    const answer = await client.request({ ...what, headers }, signal);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw unexpected(what.url, answer.status, "a status from 200 to 299");
  };
  const keyOf = (name: RackTarget, value: number | null): string => {
    const before = unsettled.get(name);
    const key = before && before.value === value ? before.key : randomUUID();
    unsettled.set(name, { value, key });
    return key;
  };
  return {
    name: config.name,
    targets: config.targets.map(({ target }) => target),
    async open() {
      await shut();
      client = httpClient(config);
    },
    async read(name, signal) {
      const target = targetOf(config.targets, name);
      if (target.read_back === "none") return sent.get(name) ?? null;
      const url = target.read_url ?? target.url;
      const { value } = follow(jsonOf(url, await request({ url }, signal)), stepsOf(target.read_back));
      if (value === target.automatic) return null;
      if (typeof value === "number") return fromRaw(value, target);
      const field = `${url}#${target.read_back}`;
      const expected = `a number or ${JSON.stringify(target.automatic)}`;
      throw skadiError("SKADI_DRIVER", { field, value: value ?? String(value), expected });
    },
    async write(name, value, signal) {
      const target = targetOf(config.targets, name);
      const body = JSON.stringify(filled(target.body, target, value));
      const headers = { "content-type": "application/json", "idempotency-key": keyOf(name, value) };
      await request({ method: target.method, url: target.url, headers, body }, signal);
      unsettled.delete(name);
      sent.set(name, value);
    },
    close: shut,
  };
}

function credentials(
  auth: WebhookDrive["auth"],
  { body = "" }: HttpRequest,
  clock: Clock,
): Record<string, string> {
  if (!auth) return {};
  if ("bearer" in auth) return { authorization: `Bearer ${revealSecret(auth.bearer)}` };
  const timestamp = String(Math.floor(clock.now() / 1000));
  const signature = createHmac("sha256", revealSecret(auth.hmac))
    .update(`${timestamp}.${body}`)
    .digest("hex");
  return { "x-skadi-timestamp": timestamp, "x-skadi-signature": `sha256=${signature}` };
}

/** The body with its placeholders filled in: a text that is nothing but `{{value}}` becomes a number. */
function filled(template: unknown, target: Target, value: number | null): unknown {
  const raw = value === null ? target.automatic : toRaw(value, target);
  if (template === "{{value}}") return raw;
  if (typeof template === "string") {
    return template.replaceAll("{{target}}", target.target).replaceAll("{{value}}", String(raw));
  }
  if (Array.isArray(template)) return template.map((item) => filled(item, target, value));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, item]) => [key, filled(item, target, value)]),
  );
}
