import { readFileSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { type ConnectionOptions, connect } from "node:tls";
import type { HttpConfig } from "../../shared/contracts/devices/http.ts";
import { SkadiError, skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

export interface HttpRequest {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case; of a repeated header the first. */
  header(name: string): string | undefined;
  body: string;
}

/** One device's connections. */
export interface HttpClient {
  /**
   * Any status is an answer. A GET follows redirects within the device; nothing else is redirected, and nothing leads
   * to another host, because credentials would go there too.
   *
   * @throws SkadiError SKADI_DRIVER when there is no answer, SKADI_PAYLOAD_TOO_LARGE when there is too much of it
   */
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 4;
/** Connections that nobody uses are closed before most devices close theirs. */
const IDLE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 5_000;
const REDIRECTS_MAX = 3;
const LOOPBACK = /^(localhost|127\..*|\[::1\])$/;

/**
 * Node's own HTTP, because the parsers of others need WebAssembly, which the packaged agent does without.
 *
 * @throws SkadiError SKADI_BAD_CONFIG when the file of certificate authorities cannot be read
 */
export function httpClient({ tls, response_max_kb }: HttpConfig): HttpClient {
  const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_MS };
  const plain = new http.Agent(options);
  const secure = secureAgent(options, tls);
  const max_bytes = response_max_kb * 1024;

  const once = async ({ method = "GET", url, headers, body }: HttpRequest, signal: AbortSignal) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const settings = { method, headers, signal };
      const sent = url.startsWith("https:")
        ? https.request(url, { ...settings, agent: secure }, resolve)
        : http.request(url, { ...settings, agent: plain }, resolve);
      sent.on("error", reject).end(body);
    });
    return { ...asAnswer(answer), body: await limitedText(answer, max_bytes, url) };
  };
  return {
    async request(request, signal) {
      let { url } = request;
      for (let redirects = 0; ; redirects++) {
        const answer = await once({ ...request, url }, signal).catch((error: unknown) => {
          throw signal.aborted ? signal.reason : noAnswer(url, error);
        });
        const location = answer.header("location");
        const redirected = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
        if (!redirected) return answer;
        const next = new URL(location, url);
        if ((request.method ?? "GET") !== "GET" || next.origin !== new URL(url).origin) {
          throw unexpected(url, answer.status, `no redirect to ${next.origin}${next.pathname}`);
        }
        if (redirects >= REDIRECTS_MAX) {
          throw unexpected(url, answer.status, `at most ${REDIRECTS_MAX} redirects`);
        }
        url = next.href;
      }
    },
    async close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Says at the start, and loudly, where a connection gives less than it could. */
export function noteTrust(
  { name, tls }: { name: string; tls: HttpConfig["tls"] },
  urls: readonly string[],
  sends_secret: boolean,
  log: Log,
): void {
  if (!tls.verify) log.warn({ event: "certificate_not_verified", device: name, urls });
  const plain = urls.filter((url) => url.startsWith("http:") && !LOOPBACK.test(new URL(url).hostname));
  if (sends_secret && plain.length > 0) {
    log.warn({ event: "secret_sent_unencrypted", device: name, urls: plain });
  }
}

/** An answer that is not what was asked for. */
export function unexpected(url: string, value: unknown, expected: string): SkadiError {
  return skadiError("SKADI_DRIVER", { field: withoutQuery(url), value, expected });
}

/** The body as JSON. Management controllers like to answer with an HTML page when they are not well. */
export function jsonOf(url: string, { body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_MALFORMED_JSON", {
      field: withoutQuery(url),
      value: body,
      expected: `JSON (${reason})`,
    });
  }
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Queries may carry tokens. */
function withoutQuery(url: string): string {
  return url.split("?", 1)[0]!;
}

function noAnswer(url: string, error: unknown): SkadiError {
  if (error instanceof SkadiError) return error;
  const { message, code, name } = error as NodeJS.ErrnoException;
  const reason = message || code || name;
  return unexpected(url, undefined, `an answer (${reason})`);
}

function asAnswer({ statusCode = 0, headers }: IncomingMessage): Omit<HttpAnswer, "body"> {
  return {
    status: statusCode,
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}

async function limitedText(body: AsyncIterable<Buffer>, max_bytes: number, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the body, and with it the connection.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > max_bytes) {
      const detail = { field: withoutQuery(url), value: `over ${max_bytes} bytes` };
      throw skadiError("SKADI_PAYLOAD_TOO_LARGE", { ...detail, expected: `≤ ${max_bytes / 1024} KiB` });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function secureAgent(
  options: https.AgentOptions,
  { ca_file, fingerprint_sha256, verify }: HttpConfig["tls"],
): https.Agent {
  const ca = ca_file === undefined ? {} : { ca: certificateAuthorities(ca_file) };
  if (fingerprint_sha256 === undefined)
    return new https.Agent({ ...options, ...ca, rejectUnauthorized: verify });
  const pinned_only = ca_file === undefined;
  // A resumed session does not show the certificate again.
  const trust = { ...ca, rejectUnauthorized: verify && !pinned_only, maxCachedSessions: 0 };
  const agent = new https.Agent({ ...options, ...trust });
  // The request gets its connection when the certificate is known: nothing was sent until then, no credentials either.
  agent.createConnection = (target, callback) => {
    const socket = connect({ ...(target as ConnectionOptions), timeout: CONNECT_TIMEOUT_MS });
    const failed = (error: Error) => callback?.(error, socket);
    socket.once("error", failed);
    socket.once("timeout", () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)));
    socket.once("secureConnect", () => {
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      if (shown?.replaceAll(":", "").toLowerCase() !== fingerprint_sha256) {
        socket.destroy(new Error(`the certificate's fingerprint is ${shown ?? "not shown"}`));
        return;
      }
      socket.off("error", failed).removeAllListeners("timeout").setTimeout(0);
      callback?.(null, socket);
    });
    return undefined;
  };
  return agent;
}

function certificateAuthorities(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_BAD_CONFIG", { field: "tls.ca_file", value: file, expected: `PEM (${reason})` });
  }
}
