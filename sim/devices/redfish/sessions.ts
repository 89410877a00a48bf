import { randomBytes } from "node:crypto";

/** Few, as on real controllers: a client that forgets to log out is noticed. */
const SESSIONS_MAX = 8;

export interface Session {
  id: string;
  token: string;
  user: string;
  used_ms: number;
}

/** Sessions of a Redfish service; one that is not used for the timeout ends. */
export interface Sessions {
  /** null when there are too many. */
  open(user: string): Session | null;
  /** The session of a token, renewed by this use. */
  use(token: string): Session | null;
  list(): Session[];
  close(id: string): boolean;
}

export function createSessions(now: () => number, timeout_s: number): Sessions {
  const sessions = new Map<string, Session>();
  let count = 0;
  const expire = () => {
    for (const [id, { used_ms }] of sessions) if (now() - used_ms > timeout_s * 1000) sessions.delete(id);
  };
  return {
    open(user) {
      expire();
      if (sessions.size >= SESSIONS_MAX) return null;
      const session = { id: String(++count), token: randomBytes(24).toString("hex"), user, used_ms: now() };
      sessions.set(session.id, session);
      return session;
    },
    use(token) {
      expire();
      const session = [...sessions.values()].find((candidate) => candidate.token === token) ?? null;
      if (session) session.used_ms = now();
      return session;
    },
    list() {
      expire();
      return [...sessions.values()];
    },
    close: (id) => sessions.delete(id),
  };
}
