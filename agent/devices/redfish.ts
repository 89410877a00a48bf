import type { RedfishConnection } from "../../shared/contracts/devices/redfish.ts";
import { SkadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import {
  basicAuthorization,
  type HttpAnswer,
  type HttpRequest,
  httpClient,
  jsonOf,
  noteTrust,
  unexpected,
} from "./http.ts";
import { follow } from "./json-pointer.ts";
import { revealSecret } from "./secret.ts";

export interface RedfishDocument {
  body: unknown;
  etag: string | undefined;
  /** The device says that nothing has changed since the read before. */
  unchanged: boolean;
  /** The device's own clock when it answered. */
  device_ms: number | undefined;
}

export interface RedfishClient {
  /**
   * A resource, or null where there is none.
   *
   * @param known what a read before gave: where that still holds, it is not sent again
   * @throws SkadiError when the device does not answer or not with JSON
   */
  get(uri: string, signal: AbortSignal, known?: RedfishDocument): Promise<RedfishDocument | null>;
  /**
   * Changes a resource.
   *
   * @returns false when the resource is no longer the one that `etag` stands for: read again and decide again
   */
  patch(uri: string, body: unknown, etag: string | undefined, signal: AbortSignal): Promise<boolean>;
  /** Ends the session, so that the device's few sessions are not used up. */
  close(): Promise<void>;
}

/** Controllers lock an account after some wrong passwords: after a refused login none is tried for this long. */
const LOGIN_PAUSE_MS = 60_000;
const LOGOUT_TIMEOUT_MS = 2_000;

interface Session {
  token: string;
  uri: string | undefined;
}

/** What opens connections to one device. A refused login is remembered from one connection to the next. */
export function redfishConnector(config: RedfishConnection, clock: Clock, log: Log): () => RedfishClient {
  let refused_until_ms = Number.NEGATIVE_INFINITY;
  noteTrust(config, [config.url], config.auth !== undefined, log);
  return () =>
    redfishClient(config, log, {
      check() {
        if (clock.now() >= refused_until_ms) return;
        const seconds = Math.ceil((refused_until_ms - clock.now()) / 1000);
        throw unexpected(config.url, "a refused login", `the right password; next attempt in ${seconds} s`);
      },
      refused() {
        refused_until_ms = clock.now() + LOGIN_PAUSE_MS;
      },
    });
}

function redfishClient(
  config: RedfishConnection,
  log: Log,
  logins: { check(): void; refused(): void },
): RedfishClient {
  const { auth } = config;
  const http = httpClient(config);
  const urlOf = (uri: string) => new URL(uri, config.url).href;
  let session: Session | null = null;
  let entering: Promise<Session> | null = null;

  const login = async (signal: AbortSignal): Promise<Session> => {
    if (!auth) throw new Error("no credentials");
    logins.check();
    const url = urlOf(auth.sessions_uri);
    const body = JSON.stringify({ UserName: auth.username, Password: revealSecret(auth.password) });
    const answer = await http.request({ method: "POST", url, headers: JSON_BODY, body }, signal);
    const token = answer.header("x-auth-token");
    if (isOk(answer) && token) return { token, uri: sameHost(answer.header("location"), url) };
    if ([400, 401, 403].includes(answer.status)) logins.refused();
    throw refusal(url, answer, "a session");
  };
  const authorized = async (signal: AbortSignal): Promise<Record<string, string>> => {
    if (!auth) return {};
    if (auth.method === "basic") {
      logins.check();
      return { authorization: basicAuthorization(auth.username, revealSecret(auth.password)) };
    }
    // Requests that run side by side share one login.
    entering ??= session ? Promise.resolve(session) : login(signal);
    try {
      session = await entering;
    } finally {
      entering = null;
    }
    return { "x-auth-token": session.token };
  };
  const send = async (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
    for (let tries = 0; ; tries++) {
      const credentials = await authorized(signal);
      const headers = { accept: "application/json", ...request.headers, ...credentials };
      const answer = await http.request({ ...request, headers }, signal);
      if (answer.status !== 401) return answer;
      if (auth?.method === "basic") logins.refused();
      if (auth?.method !== "session" || tries > 0) throw refusal(request.url, answer, "to be let in");
      // The session has expired; another request may have renewed it already.
      if (session?.token === credentials["x-auth-token"]) session = null;
    }
  };
  return {
    async get(uri, signal, known) {
      const url = urlOf(uri);
      const headers = known?.etag ? { "if-none-match": known.etag } : {};
      const answer = await send({ url, headers }, signal);
      if (answer.status === 304 && known) return { ...known, unchanged: true, device_ms: dateOf(answer) };
      if (answer.status === 404) return null;
      if (!isOk(answer)) throw refusal(url, answer, "status 200");
      const body = jsonOf(url, answer);
      const inside = follow(body, ["@odata.etag"]).value;
      const etag = answer.header("etag") ?? (typeof inside === "string" ? inside : undefined);
      return { body, etag, unchanged: false, device_ms: dateOf(answer) };
    },
    async patch(uri, body, etag, signal) {
      const url = urlOf(uri);
      const headers = { ...JSON_BODY, ...(etag ? { "if-match": etag } : {}) };
      const answer = await send({ method: "PATCH", url, headers, body: JSON.stringify(body) }, signal);
      if (answer.status === 412) return false;
      if (!isOk(answer)) throw refusal(url, answer, "the change to be made");
      return true;
    },
    async close() {
      try {
        if (session?.uri) {
          const headers = { "x-auth-token": session.token };
          const signal = AbortSignal.timeout(LOGOUT_TIMEOUT_MS);
          await http.request({ method: "DELETE", url: session.uri, headers }, signal);
        }
      } catch (error) {
        log.debug({ event: "logout_failed", device: config.name, reason: String(error) });
      } finally {
        session = null;
        await http.close();
      }
    },
  };
}

const JSON_BODY = { "content-type": "application/json" };

function isOk({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}

function dateOf(answer: HttpAnswer): number | undefined {
  const ms = Date.parse(answer.header("date") ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

/** Some services name themselves by another host there; the token must not follow. */
function sameHost(location: string | undefined, url: string): string | undefined {
  if (location === undefined) return undefined;
  const { pathname } = new URL(location, url);
  return new URL(pathname, url).href;
}

const REASON_MAX_CHARS = 200;

/** A refusal with the reason that Redfish's extended error information gives. */
function refusal(url: string, answer: HttpAnswer, expected: string): SkadiError {
  const reason = extendedReason(answer.body);
  return unexpected(url, answer.status, reason ? `${expected} (${reason})` : expected);
}

function extendedReason(text: string): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // The status says enough: the body of an error need not be JSON.
    return undefined;
  }
  const [extended, general] = [
    follow(body, ["error", "@Message.ExtendedInfo", "0", "Message"]).value,
    follow(body, ["error", "message"]).value,
  ];
  const reason = typeof extended === "string" ? extended : general;
  return typeof reason === "string" ? reason.slice(0, REASON_MAX_CHARS) : undefined;
}

/** Whether the device answered, although not with what was asked for: its other resources may still be read. */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof SkadiError)) return false;
  if (["SKADI_MALFORMED_JSON", "SKADI_PAYLOAD_TOO_LARGE"].includes(error.code)) return true;
  const status = error.rejections[0]?.value;
  return typeof status === "number" && status !== 401;
}
