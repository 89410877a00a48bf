import * as z from "zod";
import { type Condition, Overview } from "../../shared/contracts/overview.ts";
import { MmsState, ScoreLevel } from "../../shared/contracts/score.ts";
import { SkadiError } from "../../shared/errors.ts";
import type { AggregatorClient } from "../cli/client.ts";
import { followEvents, type LiveEvent } from "../cli/follow.ts";
import type { Link } from "./screen.ts";

/** The site as it is known at this moment. */
export interface LiveOverview {
  now(): { overview: Overview; link: Link; now_ms: number };
  /** While held, the figures stand still. */
  hold(held: boolean): void;
  stop(): void;
}

/** Events that change more than one rack's score: the whole is asked for at once. */
const SITE_EVENTS = ["mms", "mode", "incident", "status", "model", "quarantine"];

/** Asks for the overview in an interval and whenever something happens; scores in between come as events. */
export function liveOverview(
  client: AggregatorClient,
  first: Overview,
  { interval_ms, onChange }: { interval_ms: number; onChange: () => void },
): LiveOverview {
  let overview = first;
  let link: Link = { up: true };
  let held = false;
  let asking = false;
  let again = false;
  // Ages are counted in the site's own time, which may be a simulation's.
  let read_ms = performance.now();
  const siteNow = () => Date.parse(overview.ts) + (performance.now() - read_ms);

  const lost = (reason: string) => {
    link = { up: false, reason, since_ms: link.up ? siteNow() : link.since_ms };
    onChange();
  };
  const read = async () => {
    try {
      const answer = await client.get("/state/overview", Overview);
      link = { up: true };
      if (!held) {
        overview = answer;
        read_ms = performance.now();
      }
      onChange();
    } catch (error) {
      if (!(error instanceof SkadiError)) throw error;
      lost(error.message);
    }
  };
  const ask = async () => {
    again = true;
    if (asking) return;
    asking = true;
    while (again) {
      again = false;
      await read();
    }
    asking = false;
  };
  const hear = (event: LiveEvent) => {
    if (SITE_EVENTS.includes(event.type)) void ask();
    if (event.type !== "score" || held) return;
    overview = scored(overview, event);
    onChange();
  };
  const stopFollowing = followEvents(client, {
    resume_from: null,
    onEvent: hear,
    onLink: (state) => (state.up ? void ask() : lost(state.reason)),
    onProblem: lost,
  });
  const timer = setInterval(() => void ask(), interval_ms);
  return {
    now: () => ({ overview, link, now_ms: siteNow() }),
    hold(wanted) {
      held = wanted;
    },
    stop() {
      clearInterval(timer);
      stopFollowing();
    },
  };
}

const ScoreEvent = z.object({ d: z.number(), state: ScoreLevel, mms: MmsState.optional() });

/** The overview with one rack's newer score. */
function scored(overview: Overview, { rack_id, data }: LiveEvent): Overview {
  const score = ScoreEvent.safeParse(data);
  if (!score.success) return overview;
  const { d, state: level, mms } = score.data;
  const calm: Condition = level === "nominal" ? "nominal" : "transient";
  const state = mms === "persistent" ? mms : calm;
  const rack_list = overview.rack_list.map((rack) =>
    rack.rack_id === rack_id ? { ...rack, d, level, state } : rack,
  );
  return { ...overview, rack_list };
}
