import { emitKeypressEvents } from "node:readline";
import { Command, Option } from "commander";
import { z } from "zod";
import { numberOption } from "../../shared/cli.ts";
import { type Condition, Overview } from "../../shared/contracts/overview.ts";
import { MmsState, ScoreLevel } from "../../shared/contracts/score.ts";
import { SkadiError } from "../../shared/errors.ts";
import type { AggregatorClient } from "../cli/client.ts";
import { followEvents, type LiveEvent } from "../cli/follow.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print } from "../cli/output.ts";
import { widthOf } from "../cli/table.ts";
import { fullScreen } from "./full-screen.ts";
import { type Link, report, screen } from "./screen.ts";
import {
  firstView,
  type Key,
  pressed,
  SORT_KEYS,
  type SortKey,
  STATES,
  type View,
  visibleRacks,
} from "./view.ts";

interface Flags extends ClientFlags {
  sort: SortKey;
  reverse?: boolean;
  row?: string;
  state?: (typeof STATES)[number];
  interval: number;
  once?: boolean;
}

/** `skadi-aggregator top`: the racks, live. */
export function topCommand(): Command {
  return withClientOptions(new Command("top"))
    .description("watch the racks live; once where the output is no terminal")
    .addOption(
      new Option("--sort <key>", "the worst first, or by a quantity").choices(SORT_KEYS).default("worst"),
    )
    .option("--reverse", "the other way round")
    .option("--row <row>", "only this row's racks")
    .addOption(new Option("--state <state>", "only racks in this state").choices(STATES))
    .option("--interval <s>", "seconds between two looks at the whole site", numberOption(0.2, 3_600), 2)
    .option("--once", "print the table once")
    .action(top);
}

async function top(flags: Flags): Promise<void> {
  const client = clientOf(flags);
  const { sort, reverse: reversed = false, row = null, state = null } = flags;
  const view = firstView({ sort, reversed, row, state });
  const overview = await client.get("/state/overview", Overview);
  if (flags.once || flags.json || !process.stdout.isTTY) {
    const shown = { overview, view, link: { up: true } as const, now_ms: Date.parse(overview.ts) };
    const answer = { ...overview, rack_list: visibleRacks(overview, view) };
    print(answer, () => report(shown, widthOf(process.stdout), colours), flags);
    return;
  }
  await watch(client, overview, view, flags.interval * 1000);
}

/** Events that change more than one rack's score: the whole is asked for at once. */
const SITE_EVENTS = ["mms", "mode", "incident", "status", "model", "quarantine"];
/** Redrawn at most so often, however many scores come. */
const DRAW_MS = 200;

async function watch(
  client: AggregatorClient,
  first: Overview,
  chosen: View,
  interval_ms: number,
): Promise<void> {
  let overview = first;
  let view = chosen;
  let page = 1;
  let link: Link = { up: true };
  let asking = false;
  let again = false;
  let ended = false;
  let draw_timer: NodeJS.Timeout | undefined;
  // Ages are counted in the site's own time, which may be a simulation's.
  let read_ms = performance.now();
  const siteNow = () => Date.parse(overview.ts) + (performance.now() - read_ms);

  const terminal = fullScreen();
  const draw = () => {
    clearTimeout(draw_timer);
    draw_timer = undefined;
    const drawn = screen({ overview, view, link, now_ms: siteNow() }, terminal.size(), colours);
    ({ view, page } = drawn);
    terminal.show(drawn.lines);
  };
  const drawSoon = () => {
    // An answer may come when the terminal has been given back.
    if (!ended) draw_timer ??= setTimeout(draw, DRAW_MS);
  };
  const setLink = (up: boolean, reason = "") => {
    if (up) link = { up: true };
    else if (link.up) link = { up: false, reason, since_ms: siteNow() };
    else link = { ...link, reason };
    drawSoon();
  };
  const ask = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await client.get("/state/overview", Overview);
      setLink(true);
      if (!view.paused) {
        overview = answer;
        read_ms = performance.now();
      }
    } catch (error) {
      if (!(error instanceof SkadiError)) throw error;
      setLink(false, error.message);
    } finally {
      asking = false;
    }
    if (again) {
      again = false;
      void ask();
    }
  };
  const hear = (event: LiveEvent) => {
    if (SITE_EVENTS.includes(event.type)) void ask();
    if (event.type !== "score" || view.paused) return;
    overview = scored(overview, event);
    drawSoon();
  };

  const stopFollowing = followEvents(client, {
    resume_from: null,
    onEvent: hear,
    onLink: (state) => (state.up ? void ask() : setLink(false, state.reason)),
    onProblem: (problem) => setLink(false, problem),
  });
  const timer = setInterval(() => void ask(), interval_ms);
  emitKeypressEvents(process.stdin);
  try {
    await new Promise<void>((resolve) => {
      process.stdin.on("keypress", (text: string | undefined, key: Keypress) => {
        for (const each of keysOf(text, key)) {
          const next = pressed(view, each, overview, page);
          if (next === null) return resolve();
          view = next;
        }
        draw();
      });
      process.stdin.once("end", resolve);
      process.once("SIGTERM", resolve);
      process.once("SIGHUP", resolve);
      process.once("SIGINT", resolve);
      terminal.onResize(draw);
      draw();
    });
  } finally {
    ended = true;
    clearInterval(timer);
    clearTimeout(draw_timer);
    stopFollowing();
    terminal.close();
  }
}

/** As node:readline tells of it. */
interface Keypress {
  name?: string;
  ctrl?: boolean;
  meta?: boolean;
  sequence?: string;
}

/** A key right after Escape looks to node like that key with Alt; nobody presses Alt here. */
function keysOf(text: string | undefined, { name, ctrl = false, meta = false, sequence }: Keypress): Key[] {
  if (!meta) return [{ name, text, ctrl }];
  const closing = { name: "escape", text: undefined, ctrl: false };
  return [closing, name === "escape" ? closing : { name, text: sequence?.at(-1), ctrl }];
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
