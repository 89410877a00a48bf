import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type Certificate, selfSigned } from "./certificate.ts";
import { temporaryFolder } from "./temporary.ts";

type Json = Record<string, unknown>;

export interface RedfishServer extends Certificate {
  url: string;
  resources: Record<string, Json>;
  /** Every request, in order: "GET /redfish/v1/…". */
  requests: string[];
  sessions: Map<string, string>;
  /** Takes the place of a resource's answer. */
  answers: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  connections(): number;
}

export const SESSIONS = "/redfish/v1/SessionService/Sessions";
export const USER = { username: "skadi", password: "let me read" };

/** A management controller with a certificate of its own: sessions and passwords, entity tags, preconditions. */
export async function redfishServer(resources: Record<string, Json>): Promise<RedfishServer> {
  const certificate = selfSigned(temporaryFolder());
  const state: Omit<RedfishServer, "url" | "connections" | keyof Certificate> = {
    resources,
    requests: [],
    sessions: new Map(),
    answers: new Map(),
  };
  const sockets = new Set<object>();
  const server = createServer(certificate, (request, response) => void serve(state, request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ...state, ...certificate, url, connections: () => sockets.size };
}

type State = Pick<RedfishServer, "resources" | "requests" | "sessions" | "answers">;

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const uri = request.url ?? "";
  state.requests.push(`${request.method} ${uri}`);
  const body = await bodyOf(request);
  const reply = (status: number, json?: Json, headers: Record<string, string> = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(json === undefined ? "" : JSON.stringify(json));
  };
  if (request.method === "POST" && uri === SESSIONS) return logIn(state, body, reply);
  if (!isKnown(state, request)) return reply(401, problem("No valid session"));
  const answer = state.answers.get(uri);
  if (answer) return answer(request, response);
  if (request.method === "DELETE" && uri.startsWith(`${SESSIONS}/`)) {
    for (const [token, session] of state.sessions) if (session === uri) state.sessions.delete(token);
    return reply(204);
  }
  const resource = state.resources[uri];
  if (!resource) return reply(404, problem("No such resource"));
  const etag = etagOf(resource);
  if (request.method === "PATCH") {
    const wanted = request.headers["if-match"];
    if (wanted !== undefined && wanted !== etag) return reply(412, problem("Changed in between"));
    state.resources[uri] = patched(resource, body) as Json;
    return reply(204);
  }
  if (request.headers["if-none-match"] === etag) return reply(304, undefined, { etag });
  reply(200, resource, { etag });
}

type Reply = (status: number, json?: Json, headers?: Record<string, string>) => void;

function logIn(state: State, body: unknown, answer: Reply): void {
  const { UserName, Password } = body as Json;
  if (UserName === USER.username && Password === USER.password) {
    const token = randomUUID();
    const location = `${SESSIONS}/${token.slice(0, 8)}`;
    state.sessions.set(token, location);
    answer(201, {}, { "x-auth-token": token, location });
  } else {
    answer(401, problem("Wrong password"));
  }
}

function isKnown({ sessions }: State, { headers }: IncomingMessage): boolean {
  const basic = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString("base64")}`;
  return sessions.has(String(headers["x-auth-token"])) || headers.authorization === basic;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

export function problem(message: string): Json {
  return { error: { code: "Base.1.0.GeneralError", "@Message.ExtendedInfo": [{ Message: message }] } };
}

function etagOf(resource: Json): string {
  return `"${createHash("sha256").update(JSON.stringify(resource)).digest("hex").slice(0, 16)}"`;
}

/** Objects are changed property by property, lists item by item, as Redfish has it. */
function patched(old: unknown, change: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(change)) {
    return old.map((item, i) => (i in change ? patched(item, change[i]) : item));
  }
  if (typeof old !== "object" || old === null || typeof change !== "object" || change === null) return change;
  const result: Json = { ...old };
  for (const [key, value] of Object.entries(change)) result[key] = patched(result[key], value);
  return result;
}
