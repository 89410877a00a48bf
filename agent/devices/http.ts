import { readFileSync } from "node:fs";
import { TLSSocket } from "node:tls";
import { Agent, buildConnector, type Dispatcher } from "undici";
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
const CONNECT_TIMEOUT_MS = 5_000;
const REDIRECTS_MAX = 3;
const LOOPBACK = /^(localhost|127\..*|\[::1\])$/;

/** @throws SkadiError SKADI_BAD_CONFIG when the file of certificate authorities cannot be read */
export function httpClient({ tls, response_max_kb }: HttpConfig): HttpClient {
  const agent = new Agent({ connections: CONNECTIONS_MAX, connect: connector(tls) });
  const max_bytes = response_max_kb * 1024;

  const once = async ({ method = "GET", url, headers, body }: HttpRequest, signal: AbortSignal) => {
    const { origin, pathname, search } = new URL(url);
    const answer = await agent.request({
      origin,
      path: pathname + search,
      method,
      headers: headers ?? {},
      body: body ?? null,
      signal,
    });
    return { ...asAnswer(answer), body: await limitedText(answer.body, max_bytes, url) };
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
    close: () => agent.destroy(),
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

function asAnswer({ statusCode, headers }: Dispatcher.ResponseData): Omit<HttpAnswer, "body"> {
  return {
    status: statusCode,
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
  };
}

async function limitedText(
  body: Dispatcher.ResponseData["body"],
  max_bytes: number,
  url: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the body, and with it the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > max_bytes) {
      const detail = { field: withoutQuery(url), value: `over ${max_bytes} bytes` };
      throw skadiError("SKADI_PAYLOAD_TOO_LARGE", { ...detail, expected: `≤ ${max_bytes / 1024} KiB` });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function connector({ ca_file, fingerprint_sha256, verify }: HttpConfig["tls"]): buildConnector.connector {
  const ca = ca_file === undefined ? {} : { ca: certificateAuthorities(ca_file) };
  const pinned_only = fingerprint_sha256 !== undefined && ca_file === undefined;
  const connect = buildConnector({
    ...ca,
    allowH2: false,
    rejectUnauthorized: verify && !pinned_only,
    timeout: CONNECT_TIMEOUT_MS,
    // A resumed session does not show the certificate again.
    ...(fingerprint_sha256 === undefined ? {} : { maxCachedSessions: 0 }),
  });
  if (fingerprint_sha256 === undefined) return connect;
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      // Nothing has been sent yet, no credentials either.
      const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.fingerprint256 : undefined;
      if (shown?.replaceAll(":", "").toLowerCase() === fingerprint_sha256) return callback(null, socket);
      socket.destroy();
      callback(new Error(`the certificate's fingerprint is ${shown ?? "not shown"}`), null);
    });
}

function certificateAuthorities(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw skadiError("SKADI_BAD_CONFIG", { field: "tls.ca_file", value: file, expected: `PEM (${reason})` });
  }
}
