import { batch, computed, type Signal, signal } from "@preact/signals";
import type { Overview, RackSummary } from "../../../../shared/contracts/overview.ts";
import { get } from "./api.ts";
import { silence } from "./silence.ts";

/** One WebSocket for the whole page; while there is none, the overview is polled. */

export interface LiveEvent {
  id: string;
  ts: string;
  type: string;
  rack_id: string | null;
  data: Record<string, unknown>;
  cursor?: string;
}
/** Of the site, without the racks: those are in `rackSignal`. */
export type SiteState = Omit<Overview, "rack_list">;
/** `live` over the WebSocket, `polling` without it, `lost` when neither answers. */
export type Connection = "connecting" | "live" | "polling" | "lost";

const POLL_MS = 2_000;
/** An answer that takes longer will not come: the connection that it was asked over is dead. */
const POLL_TIMEOUT_MS = 15_000;
/** The overview comes once a second: a connection that is silent for longer is none, whatever TCP believes. */
const SILENT_MAX_S = 5;
const RETRY_MS = [500, 1_000, 2_000, 5_000];
const EVENTS_MAX = 200;

export const connection = signal<Connection>("connecting");
export const site = signal<SiteState | null>(null);
export const site_time_zone = computed(() => site.value?.time_zone);
export const site_name = computed(() => site.value?.site ?? "");
export const is_loaded = computed(() => site.value !== null);
export const open_incidents = computed(() => site.value?.incidents.length ?? 0);
/** In the order of the floor; changes only when the layout does. */
export const rack_ids = signal<readonly string[]>([]);
/** What happened while the page was open, newest first, without scores. */
export const events = signal<readonly LiveEvent[]>([]);
/** Grows whenever the page may have missed something: queries ask again. */
export const resynced = signal(0);
/** The aggregator's clock, milliseconds; a simulated site has a time of its own. */
export const now_ms = computed(() => (site.value ? Date.parse(site.value.ts) : Date.now()));

const racks = new Map<string, Signal<RackSummary>>();
const listeners = new Set<(event: LiveEvent) => void>();
let cursor: string | null = null;
let attempt = 0;
let poll_timer: number | undefined;

/** Each rack is a signal of its own, so that a change redraws one cell and not the floor. */
export const rackSignal = (rack_id: string): Signal<RackSummary> | undefined => racks.get(rack_id);

/** Calls back for every event but `overview`; returns the function that ends it. */
export function onEvent(listener: (event: LiveEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// What arrives between two frames is drawn with the second.
let waiting: LiveEvent[] = [];
let frame = 0;
function enqueue(event: LiveEvent): void {
  waiting.push(event);
  // A hidden tab gets no frames: it must not gather events for hours.
  if (document.hidden) flush();
  else frame ||= requestAnimationFrame(flush);
}

function flush(): void {
  cancelAnimationFrame(frame);
  frame = 0;
  const arrived = waiting;
  waiting = [];
  batch(() => {
    const shown: LiveEvent[] = [];
    for (const event of arrived) {
      if (event.type === "overview") applyChanges(event.data as unknown as Overview);
      else if (event.type === "gap") refetch();
      else {
        if (event.type !== "score") shown.push(event);
        for (const listener of listeners) listener(event);
      }
    }
    if (shown.length > 0) events.value = [...shown.reverse(), ...events.peek()].slice(0, EVENTS_MAX);
  });
}

// A second's changes are drawn a few racks per frame, so that no frame has them all.
const changed = new Map<string, RackSummary>();
const FRAMES_PER_UPDATE = 8;
const RACKS_PER_FRAME_MIN = 12;
let draining = false;

function applyChanges({ rack_list, ...rest }: Overview): void {
  // Changes mean nothing before there is a whole.
  if (racks.size === 0) return;
  site.value = rest;
  if (document.hidden) {
    for (const rack of rack_list) setRack(rack);
    return;
  }
  for (const rack of rack_list) changed.set(rack.rack_id, rack);
  if (draining || changed.size === 0) return;
  draining = true;
  const per_frame = Math.max(RACKS_PER_FRAME_MIN, Math.ceil(changed.size / FRAMES_PER_UPDATE));
  requestAnimationFrame(() => drain(per_frame));
}

function drain(per_frame: number): void {
  batch(() => {
    for (const rack of [...changed.values()].slice(0, per_frame)) setRack(rack);
  });
  draining = changed.size > 0;
  if (draining) requestAnimationFrame(() => drain(per_frame));
}

function setRack(rack: RackSummary): void {
  changed.delete(rack.rack_id);
  const known = racks.get(rack.rack_id);
  if (known) known.value = rack;
  else racks.set(rack.rack_id, signal(rack));
}

async function loadOverview(): Promise<void> {
  // The first picture may take its time over a slow line.
  const signal = site.peek() === null ? undefined : AbortSignal.timeout(POLL_TIMEOUT_MS);
  const { rack_list, ...rest } = await get<Overview>("/state/overview", signal);
  batch(() => {
    for (const rack of rack_list) setRack(rack);
    const ids = rack_list.map(({ rack_id }) => rack_id);
    if (ids.join() !== rack_ids.peek().join()) rack_ids.value = ids;
    site.value = rest;
  });
}

function refetch(): void {
  loadOverview().then(
    () => {
      resynced.value++;
    },
    () => {
      // The connection's own state says so already; the next attempt fetches again.
    },
  );
}

function poll(): void {
  clearTimeout(poll_timer);
  if (connection.peek() === "live") return;
  loadOverview()
    .then(
      () => {
        if (connection.peek() !== "live") connection.value = "polling";
      },
      () => {
        if (connection.peek() !== "live") connection.value = "lost";
      },
    )
    .finally(() => {
      clearTimeout(poll_timer);
      if (connection.peek() !== "live") poll_timer = window.setTimeout(poll, POLL_MS);
    });
}

function connect(): void {
  const query = new URLSearchParams({ overview: "1" });
  if (cursor !== null) query.set("since", cursor);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws/events?${query}`);
  const returned = cursor !== null;
  const quiet = silence(SILENT_MAX_S);
  let watch: number | undefined;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(watch);
    socket.close();
    if (connection.peek() === "live") connection.value = "connecting";
    poll();
    const wait_ms = RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)]!;
    setTimeout(connect, wait_ms);
  };
  socket.addEventListener("open", () => {
    // A dead connection is not closed for minutes: nobody answers the closing either.
    watch = window.setInterval(() => {
      if (quiet.tick()) end();
    }, 1_000);
    // The racks come as changes: the whole is the ground they stand on. Events that were missed come by themselves.
    // What was polled before is not that ground: a rack that fell silent since then would not change any more.
    if (returned) refetch();
    else
      loadOverview().catch(() => {
        if (site.peek() === null) socket.close();
      });
  });
  socket.addEventListener("message", ({ data }) => {
    if (ended) return;
    quiet.heard();
    // Not before: a server that takes connections and says nothing is polled on.
    if (connection.peek() !== "live") {
      attempt = 0;
      connection.value = "live";
    }
    const event = JSON.parse(String(data)) as LiveEvent;
    if (event.cursor) cursor = event.cursor;
    enqueue(event);
  });
  socket.addEventListener("close", end);
}

/** Begins with the overview, for a first picture before the WebSocket is up. */
export function startLive(): void {
  poll();
  connect();
  // A page that was asleep looks at once.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && connection.peek() !== "live") poll();
  });
}
