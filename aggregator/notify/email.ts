import { createTransport } from "nodemailer";
import type { NotifyConfig } from "../../shared/contracts/config.ts";
import type { Transport } from "./channel.ts";

/** Mails each notice as plain text. */
export function emailTransport({ smtp_url, from, to, timeout_s }: NotifyConfig["email"]): Transport | null {
  if (smtp_url === undefined || to.length === 0) return null;
  const timeout_ms = timeout_s * 1000;
  const timeouts = { connectionTimeout: timeout_ms, greetingTimeout: timeout_ms, socketTimeout: timeout_ms };
  const mailer = createTransport({ url: smtp_url, ...timeouts });
  return {
    name: "email",
    async send({ subject, text, site }) {
      try {
        await mailer.sendMail({ from, to, subject, text, headers: { "X-Skadi-Site": site } });
      } catch (error) {
        throw new Error(`the mail server did not take the message (${reasonOf(error)})`);
      }
    },
    close: () => mailer.close(),
  };
}

/** The code and the server's status: its text could repeat the login. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const code = "code" in error ? String(error.code) : error.name;
  return "responseCode" in error ? `${code} ${error.responseCode}` : code;
}
