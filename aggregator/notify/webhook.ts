import { createHmac } from "node:crypto";
import type { NotifyConfig } from "../../shared/contracts/config.ts";
import type { Transport } from "./channel.ts";

const SIGNATURE_HEADER = "x-skadi-signature";

/** HMAC-SHA-256 of the body, as `sha256=<hex>`. */
export const webhookSignature = (body: string, secret: string): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

/** POSTs each notice as JSON; any answer but 2xx is a failure. A webhook's URL may hold a token, so no error tells it. */
export function webhookTransport({ url, secret, timeout_s }: NotifyConfig["webhook"]): Transport | null {
  if (url === undefined) return null;
  return {
    name: "webhook",
    async send(notice) {
      const body = JSON.stringify({ v: 1, ...notice });
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (secret !== undefined) headers[SIGNATURE_HEADER] = webhookSignature(body, secret);
      const signal = AbortSignal.timeout(timeout_s * 1000);
      const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" }).catch(
        (error: unknown) => {
          throw new Error(`the webhook cannot be reached (${reasonOf(error)})`);
        },
      );
      // An answer that nobody reads would keep its connection.
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
    },
  };
}

/** The system's code (ECONNREFUSED) or the kind of error (TimeoutError): never its message, which may name the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : error.name;
}
