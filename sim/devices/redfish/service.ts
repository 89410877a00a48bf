import { createHash, timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Log } from "../../../shared/log.ts";
import { type Disturbance, disturbable } from "../disturbance.ts";
import type { Instruments } from "../instruments.ts";
import { selfSignedCertificate } from "./certificate.ts";
import { errorBody, type Problem, statusOf } from "./messages.ts";
import { redfishResources } from "./resources.ts";
import { createSessions, type Session, type Sessions } from "./sessions.ts";
import { redfishSettings } from "./settings.ts";
import { link, type Resource, ROOT } from "./tree.ts";

export interface RedfishOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  user: string;
  password: string;
  /** TLS with a certificate made at start; without an `openssl` program the service speaks plain HTTP and says so. */
  tls: boolean;
  /** Of the device's own time. */
  session_timeout_s: number;
}

export interface RedfishServer {
  /** Without the path, e.g. https://127.0.0.1:8443. */
  readonly url: string;
  /** The certificate that clients may trust; null without TLS. */
  readonly certificate: string | null;
  disturb(disturbance: Disturbance | null): void;
  close(): Promise<void>;
}

const SESSION_SERVICE = `${ROOT}/SessionService`;
const SESSIONS = `${SESSION_SERVICE}/Sessions`;
/** DSP0266 §9.3: what an unauthenticated client may read. */
const PUBLIC_PATHS = new Set(["/redfish", ROOT]);

/** The rack's management controller as a Redfish service (DSP0266). */
export async function serveRedfish(
  device: Instruments,
  options: RedfishOptions,
  log: Log,
): Promise<RedfishServer> {
  const certificate = options.tls ? await selfSignedCertificate(options.host) : null;
  if (options.tls && !certificate) log.warn({ event: "redfish_without_tls", reason: "no openssl program" });
  const app = (certificate
    ? fastify({ https: certificate, forceCloseConnections: true })
    : fastify({ forceCloseConnections: true })) as unknown as FastifyInstance;
  const disturb = disturbable(app);
  const sessions = createSessions(() => device.now_ms, options.session_timeout_s);
  const resources = redfishResources(device, redfishSettings(device));
  addServiceResources(resources, options, sessions);
  acceptJson(app);
  app.addHook("onSend", async (_request, reply) => {
    reply.header("odata-version", "4.0").header("cache-control", "no-store");
  });
  app.all("/*", async (request, reply) => {
    const path = pathOf(request);
    if (path === SESSIONS && request.method === "POST") return login(request, reply, options, sessions);
    if (!PUBLIC_PATHS.has(path) && !isKnown(request, options, sessions)) {
      return fail(reply, [{ id: "NoValidSession" }]);
    }
    const session = sessionAt(path, sessions);
    if (session && request.method === "DELETE") {
      sessions.close(session.id);
      return reply.code(204).send();
    }
    const resource = resources.get(path) ?? (session ? { read: () => sessionResource(session) } : undefined);
    return resource ? serveResource(request, reply, resource) : fail(reply, [{ id: "ResourceMissingAtURI" }]);
  });
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `${certificate ? "https" : "http"}://${options.host}:${port}`,
    certificate: certificate?.cert ?? null,
    disturb,
    close: () => app.close(),
  };
}

function serveResource(request: FastifyRequest, reply: FastifyReply, resource: Resource) {
  const before = resource.read();
  const etag = etagOf(before);
  const allow = resource.patch ? "GET, HEAD, PATCH" : "GET, HEAD";
  reply.header("allow", allow);
  if (request.method === "GET" || request.method === "HEAD") {
    reply.header("etag", etag);
    if (matches(request.headers["if-none-match"], etag)) return reply.code(304).send();
    return reply.send(tagged(before, etag));
  }
  if (request.method !== "PATCH" || !resource.patch) return fail(reply, [{ id: "OperationNotAllowed" }]);
  const if_match = request.headers["if-match"];
  if (if_match !== undefined && !matches(if_match, etag)) return fail(reply, [{ id: "PreconditionFailed" }]);
  const { body } = request;
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return fail(reply, [{ id: "MalformedJSON" }]);
  }
  const problems = resource.patch(body as Record<string, unknown>);
  if (problems.length > 0) return fail(reply, problems);
  const after = resource.read();
  const new_etag = etagOf(after);
  return reply.header("etag", new_etag).send(tagged(after, new_etag));
}

function addServiceResources(
  resources: Map<string, Resource>,
  options: RedfishOptions,
  sessions: Sessions,
): void {
  resources.set("/redfish", { read: () => ({ v1: `${ROOT}/` }) });
  resources.set(ROOT, {
    read: () => ({
      "@odata.id": `${ROOT}/`,
      "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot",
      Id: "RootService",
      Name: "Root Service",
      RedfishVersion: "1.20.0",
      Vendor: "Skadi simulator",
      Chassis: link(`${ROOT}/Chassis`),
      Managers: link(`${ROOT}/Managers`),
      ThermalEquipment: link(`${ROOT}/ThermalEquipment`),
      SessionService: link(SESSION_SERVICE),
      Links: { Sessions: link(SESSIONS) },
    }),
  });
  resources.set(SESSION_SERVICE, {
    read: () => ({
      ...link(SESSION_SERVICE),
      "@odata.type": "#SessionService.v1_1_9.SessionService",
      Id: "SessionService",
      Name: "Session Service",
      ServiceEnabled: true,
      SessionTimeout: options.session_timeout_s,
      Sessions: link(SESSIONS),
    }),
  });
  resources.set(SESSIONS, {
    read: () => {
      const members = sessions.list().map(({ id }) => link(`${SESSIONS}/${id}`));
      return {
        ...link(SESSIONS),
        "@odata.type": "#SessionCollection.SessionCollection",
        Name: "Session Collection",
        "Members@odata.count": members.length,
        Members: members,
      };
    },
  });
}

function login(request: FastifyRequest, reply: FastifyReply, options: RedfishOptions, sessions: Sessions) {
  const { UserName, Password } = (request.body ?? {}) as Record<string, unknown>;
  if (typeof UserName !== "string") return fail(reply, [{ id: "PropertyMissing", property: "UserName" }]);
  if (typeof Password !== "string") return fail(reply, [{ id: "PropertyMissing", property: "Password" }]);
  if (!isLogin(UserName, Password, options)) return fail(reply, [{ id: "ResourceAtUriUnauthorized" }]);
  const session = sessions.open(UserName);
  if (!session) return fail(reply, [{ id: "SessionLimitExceeded" }]);
  return reply
    .code(201)
    .header("x-auth-token", session.token)
    .header("location", `${SESSIONS}/${session.id}`)
    .send(sessionResource(session));
}

function sessionResource({ id, user }: Session) {
  return {
    "@odata.id": `${SESSIONS}/${id}`,
    "@odata.type": "#Session.v1_7_2.Session",
    Id: id,
    Name: "User Session",
    UserName: user,
  };
}

function sessionAt(path: string, sessions: Sessions): Session | undefined {
  return sessions.list().find(({ id }) => path === `${SESSIONS}/${id}`);
}

function isKnown(request: FastifyRequest, options: RedfishOptions, sessions: Sessions): boolean {
  const token = request.headers["x-auth-token"];
  if (typeof token === "string") return sessions.use(token) !== null;
  const [scheme, encoded] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic" || !encoded) return false;
  const [user, ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return isLogin(user ?? "", password.join(":"), options);
}

function isLogin(user: string, password: string, options: RedfishOptions): boolean {
  // Both are compared always, and as digests of equal length, so that timing tells nothing.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const user_right = timingSafeEqual(digest(user), digest(options.user));
  const password_right = timingSafeEqual(digest(password), digest(options.password));
  return user_right && password_right;
}

function fail(reply: FastifyReply, problems: readonly Problem[]) {
  const status = statusOf(problems[0]!);
  if (status === 401) reply.header("www-authenticate", 'Basic realm="Redfish"');
  return reply.code(status).send(errorBody(problems));
}

/** Bodies that are no JSON are answered in Redfish's own form, by the handler. */
function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch {
      done(null, undefined);
    }
  });
}

function pathOf(request: FastifyRequest): string {
  const path = request.url.split("?")[0]!;
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** Only resources have the property, not the version document. */
function tagged(body: Record<string, unknown>, etag: string) {
  return "@odata.id" in body ? { ...body, "@odata.etag": etag } : body;
}

function etagOf(body: object): string {
  return `"${createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 16)}"`;
}

/** RFC 9110 §13.1: a list of entity tags, or *. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}
