import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { emailTransport } from "../../../aggregator/notify/email.ts";
import { noticeOf } from "../../../aggregator/notify/message.ts";
import { webhookSignature, webhookTransport } from "../../../aggregator/notify/webhook.ts";

const notice = noticeOf("dc1", []);
/** An address that nobody listens on: its port was free a moment ago. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return `127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

const failureOf = (sending: Promise<void>): Promise<string> =>
  sending.then(
    () => "",
    (error: Error) => `${error.message} ${error.stack} ${String(error.cause)}`,
  );

describe("secrets", () => {
  it("in a webhook's address are not in the error when it cannot be reached", async () => {
    const transport = webhookTransport({ url: `http://${await nobody()}/hooks/hunter2`, timeout_s: 2 });
    const failure = await failureOf(transport!.send(notice));
    expect(failure).toContain("ECONNREFUSED");
    expect(failure).not.toContain("hunter2");
  });

  it("in a mail server's address are not in the error when it cannot be reached", async () => {
    const email = {
      smtp_url: `smtp://skadi:hunter2@${await nobody()}`,
      from: "a@b.org",
      to: ["c@d.org"],
      timeout_s: 2,
    };
    const failure = await failureOf(emailTransport(email)!.send(notice));
    expect(failure).toContain("did not take the message");
    expect(failure).not.toContain("hunter2");
  });
});

it("nothing is sent where nobody is named", () => {
  expect(webhookTransport({ timeout_s: 1 })).toBeNull();
  expect(emailTransport({ smtp_url: "smtp://localhost", from: "a@b.org", to: [], timeout_s: 1 })).toBeNull();
});

it("a signature is the HMAC-SHA-256 of the body (RFC 4231, test case 2)", () => {
  expect(webhookSignature("what do ya want for nothing?", "Jefe")).toBe(
    "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});
