import { isIPv6 } from "node:net";
import {
  AuthProtocols,
  createSession,
  createV3Session,
  isVarbindError,
  ObjectType,
  PrivProtocols,
  RequestFailedError,
  SecurityLevel,
  type Session,
  type User,
  type Varbind,
  Version2c,
} from "net-snmp";
import type { SnmpConnection } from "../../shared/contracts/devices/snmp.ts";
import { SkadiError, skadiError } from "../../shared/errors.ts";
import { revealSecret } from "./secret.ts";

/** What an agent said of one OID: an object, or why there is none. */
export type SnmpAnswer = { object: Varbind; reason?: undefined } | { object: null; reason: string };

/** One SNMP agent. Every call fails with an error that names the agent; after a failure the next call starts afresh. */
export interface SnmpClient {
  /** One answer per OID, in their order, in as few requests as the agent allows. */
  get(oids: readonly string[], signal: AbortSignal): Promise<SnmpAnswer[]>;
  /** All rows of a table's column, by their index. */
  column(oid: string, signal: AbortSignal): Promise<Map<string, Varbind>>;
  /** All in one request, which an agent carries out as a whole or not at all. */
  set(objects: readonly Varbind[], signal: AbortSignal): Promise<void>;
  /** Requests that are under way still get their answers. */
  close(): void;
}

/** A datagram may be lost: each request is sent twice, and both fit into the time that one attempt has. */
const SENDS = 2;
const SHARE_OF_TIMEOUT = 0.8;
/** Rows per answer of a walk, and where a walk that does not end is given up. */
const BULK_ROWS = 20;
const ROWS_MAX = 2_000;

/** A session, and how many requests on it have no answer yet. */
interface Line {
  session: Session;
  waiting: number;
}

type Done<T> = (error: Error | null, value?: T) => void;

export function snmpClient(config: SnmpConnection): SnmpClient {
  const { host, port } = config;
  const wait_ms = config.timeout_s * 1000 * SHARE_OF_TIMEOUT;
  let current: Line | undefined;

  const live = (): Line => {
    if (current) return current;
    const options = {
      port,
      transport: isIPv6(host) ? ("udp6" as const) : ("udp4" as const),
      retries: SENDS - 1,
      timeout: wait_ms / SENDS,
      backwardsGetNexts: false,
    };
    const session = config.user
      ? createV3Session(host, userOf(config.user), { ...options, context: config.user.context })
      : createSession(host, revealSecret(config.community ?? ""), { ...options, version: Version2c });
    // A datagram that is not SNMP must not end the agent; whoever waits for an answer still times out.
    session.on("error", () => {});
    current = { session, waiting: 0 };
    return current;
  };
  const retire = (line: Line | undefined) => {
    if (!line || line !== current) return;
    current = undefined;
    // Others still wait for answers on it: the last of them closes it.
    if (line.waiting === 0) line.session.close();
  };
  const ask = <T>(signal: AbortSignal, request: (session: Session, done: Done<T>) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const line = live();
      const onAbort = () => {
        retire(line);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      line.waiting++;
      let answered = false;
      request(line.session, (error, value) => {
        if (answered) return;
        answered = true;
        signal.removeEventListener("abort", onAbort);
        // An agent that says no is well; one that is silent or restarted is asked anew, from the handshake on.
        if (error !== null && !(error instanceof RequestFailedError)) retire(line);
        line.waiting--;
        if (line !== current && line.waiting === 0) line.session.close();
        if (error === null) resolve(value as T);
        else reject(error);
      });
    });
  const named = (error: unknown, field: string): Error => {
    const from = `${host}:${port}`;
    if (error instanceof SkadiError) return error;
    if (error instanceof Error && error.name === "RequestTimedOutError") {
      const why = config.user ? "unreachable" : "unreachable, or it does not know this community";
      return skadiError("SKADI_DRIVER", {
        field,
        expected: `an answer from ${from} within ${wait_ms / 1000} s (${why})`,
      });
    }
    const reason = error instanceof Error ? error.message : String(error);
    return skadiError("SKADI_DRIVER", { field, expected: `an answer from ${from} (${reason})` });
  };

  const getSome = async (oids: readonly string[], signal: AbortSignal): Promise<SnmpAnswer[]> => {
    if (oids.length === 0) return [];
    try {
      const objects = await ask<Varbind[]>(signal, (s, done) => s.get([...oids], done as Done<unknown>));
      return objects.map((object, i) => answerOf(object, oids[i]!));
    } catch (error) {
      if (signal.aborted || !(error instanceof RequestFailedError)) throw named(error, oids.join(" "));
      if (oids.length === 1) return [{ object: null, reason: error.message }];
      // Too much at once, or one object that cannot be told spoils the others.
      const half = Math.ceil(oids.length / 2);
      return [...(await getSome(oids.slice(0, half), signal)), ...(await getSome(oids.slice(half), signal))];
    }
  };

  return {
    async get(oids, signal) {
      const different = [...new Set(oids)];
      const answers = new Map<string, SnmpAnswer>();
      for (let at = 0; at < different.length; at += config.pdu_oids) {
        const some = different.slice(at, at + config.pdu_oids);
        for (const [i, answer] of (await getSome(some, signal)).entries()) answers.set(some[i]!, answer);
      }
      return oids.map((oid) => answers.get(oid)!);
    },
    async column(oid, signal) {
      const rows = new Map<string, Varbind>();
      for (let last = oid; rows.size < ROWS_MAX; ) {
        const found = await ask<Varbind[][]>(signal, (s, done) =>
          s.getBulk([last], 0, BULK_ROWS, done as Done<unknown>),
        ).catch((error) => {
          throw signal.aborted ? error : named(error, oid);
        });
        const mine = (found[0] ?? []).filter((o) => !isVarbindError(o) && o.oid.startsWith(`${oid}.`));
        for (const object of mine) rows.set(object.oid.slice(oid.length + 1), object);
        if (mine.length === 0 || mine.length < (found[0]?.length ?? 0)) return rows;
        last = mine.at(-1)!.oid;
      }
      throw skadiError("SKADI_DRIVER", {
        field: oid,
        expected: `at most ${ROWS_MAX} rows from ${host}:${port}`,
      });
    },
    async set(objects, signal) {
      try {
        await ask(signal, (s, done) => s.set([...objects], done as Done<unknown>));
      } catch (error) {
        throw signal.aborted ? error : named(error, objects.map(({ oid }) => oid).join(" "));
      }
    },
    close: () => retire(current),
  };
}

function answerOf(object: Varbind, asked: string): SnmpAnswer {
  if (object.oid !== asked) return { object: null, reason: `${asked} was answered with ${object.oid}` };
  if (!isVarbindError(object)) return { object };
  return { object: null, reason: `${ObjectType[object.type!]}: ${object.oid}` };
}

/** OIDs are written with and without a leading dot; on the wire there is none. */
export const plainOid = (oid: string): string => oid.replace(/^\./, "");

function userOf({ name, auth, priv }: NonNullable<SnmpConnection["user"]>): User {
  if (!auth) return { name, level: SecurityLevel.noAuthNoPriv };
  const authKey = revealSecret(auth.password);
  const authProtocol = AuthProtocols[auth.protocol];
  if (!priv) return { name, level: SecurityLevel.authNoPriv, authProtocol, authKey };
  const privKey = revealSecret(priv.password);
  const privProtocol = PrivProtocols[priv.protocol];
  return { name, level: SecurityLevel.authPriv, authProtocol, authKey, privProtocol, privKey };
}
