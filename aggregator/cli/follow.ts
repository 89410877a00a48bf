import * as z from "zod";
import type { Action } from "../../shared/contracts/action.ts";
import { ActionsAnswer, TimelineAnswer } from "../../shared/contracts/answers.ts";
import { EventBody } from "../../shared/contracts/event.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import type { AggregatorClient } from "./client.ts";

/** `cursor` says where the event stands among all, for a listener that comes back. */
const LiveEvent = EventBody.extend({ cursor: z.string().optional() });
export type LiveEvent = z.infer<typeof LiveEvent>;

export interface Listener {
  onEvent: (event: LiveEvent) => void;
  /** The connection stands; or it does not, and why: it is tried again until `stop`. */
  onLink: (link: { up: true } | { up: false; reason: string }) => void;
  /** Something that was sent, or missed, cannot be passed on. */
  onProblem: (problem: string) => void;
  /** What was missed is asked for after this instant, at the first connection too; null: never. */
  resume_from: string | null;
  /** Events that are known, and are not passed on. */
  already?: readonly LiveEvent[];
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;
/** More than come between two of a person's looks; older ones cannot come a second time. */
const SEEN_MAX = 20_000;
const MISSED_MAX = 10_000;

/** Hears every event, and asks for those that it missed while the connection was down. Returns the function that ends it. */
export function followEvents(client: AggregatorClient, listener: Listener): () => void {
  let { resume_from } = listener;
  let cursor: string | null = null;
  let socket: WebSocket | null = null;
  let timer: NodeJS.Timeout | undefined;
  let wait_ms = RETRY_FIRST_MS;
  let ended = false;
  /** What comes while the missed is asked for; null: pass it on at once. */
  let held: LiveEvent[] | null = null;
  const seen = new Set<string>();
  const remember = (...keys: string[]) => {
    for (const key of keys) seen.add(key);
    while (seen.size > SEEN_MAX) seen.delete(seen.values().next().value!);
  };
  for (const event of listener.already ?? []) remember(event.id, contentOf(event));

  const pass = (event: LiveEvent, { live }: { live: boolean }) => {
    // What is kept of actions, and what came meanwhile, may tell of the same.
    const known = seen.has(event.id) || (!live && seen.has(contentOf(event)));
    remember(event.id, contentOf(event));
    if (known) return;
    if (resume_from !== null && event.ts > resume_from) resume_from = event.ts;
    if (event.cursor !== undefined) cursor = event.cursor;
    listener.onEvent(event);
  };
  const catchUp = async () => {
    if (resume_from === null) return;
    held ??= [];
    try {
      for (const event of await eventsSince(client, resume_from)) pass(event, { live: false });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      listener.onProblem(`what was missed is not known: ${reason}`);
    }
    const waiting = held;
    held = null;
    for (const event of waiting) pass(event, { live: false });
  };
  const connect = () => {
    const url = `${client.url.replace(/^http/, "ws")}/ws/events`;
    const opened = new WebSocket(cursor === null ? url : `${url}?since=${encodeURIComponent(cursor)}`);
    socket = opened;
    opened.addEventListener("open", () => {
      wait_ms = RETRY_FIRST_MS;
      listener.onLink({ up: true });
      if (cursor === null) void catchUp();
    });
    opened.addEventListener("message", ({ data }) => {
      const event = parsePayload(LiveEvent, Buffer.from(String(data)));
      if (!event.ok) listener.onProblem(event.rejections.map(({ message }) => message).join("; "));
      else if (event.value.type === "gap") void catchUp();
      else if (held) held.push(event.value);
      else pass(event.value, { live: true });
    });
    // A connection that fails is closed as well.
    opened.addEventListener("close", ({ code, reason }) => {
      if (ended) return;
      listener.onLink({ up: false, reason: reason || `the connection ended (${code})` });
      timer = setTimeout(connect, wait_ms);
      wait_ms = Math.min(RETRY_MAX_MS, 2 * wait_ms);
    });
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}

/** An action comes again whenever something of it changes, with another event's id each time. */
function contentOf({ type, id, data }: LiveEvent): string {
  return type === "action" ? JSON.stringify([data.id, data.outcome, data.to, data.realized_saving_kw]) : id;
}

/** What is kept of the time since then, oldest first: events and actions; scores and rejections are not kept. */
export async function eventsSince(
  client: AggregatorClient,
  from: string,
  limit = MISSED_MAX,
): Promise<LiveEvent[]> {
  const [{ events }, { actions }] = await Promise.all([
    client.get("/timeline", TimelineAnswer, { from, limit }),
    client.get("/actions/log", ActionsAnswer, { limit }),
  ]);
  const decided = actions.filter((action) => Date.parse(action.ts) >= Date.parse(from)).map(actionEvent);
  return [...events, ...decided].sort((a, b) => Date.parse(a.ts) - Date.parse(b.ts));
}

const actionEvent = (action: Action): LiveEvent => ({
  id: `${action.id} ${action.outcome}`,
  ts: action.ts,
  type: "action",
  rack_id: action.rack_id,
  data: { ...action },
});
