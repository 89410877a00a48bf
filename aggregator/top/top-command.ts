import { emitKeypressEvents } from "node:readline";
import { Command, Option } from "commander";
import { numberOption } from "../../shared/cli.ts";
import { Overview } from "../../shared/contracts/overview.ts";
import type { AggregatorClient } from "../cli/client.ts";
import { type ClientFlags, clientOf, withClientOptions } from "../cli/options.ts";
import { colours, print } from "../cli/output.ts";
import { widthOf } from "../cli/table.ts";
import { fullScreen } from "./full-screen.ts";
import { liveOverview } from "./live-overview.ts";
import { report, screen } from "./screen.ts";
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

/** Redrawn at most so often, however many scores come. */
const DRAW_MS = 200;

/** Until a key or a signal ends it. */
async function watch(
  client: AggregatorClient,
  first: Overview,
  chosen: View,
  interval_ms: number,
): Promise<void> {
  let view = chosen;
  let page = 1;
  let ended = false;
  let draw_timer: NodeJS.Timeout | undefined;
  const terminal = fullScreen();
  const draw = () => {
    clearTimeout(draw_timer);
    draw_timer = undefined;
    const drawn = screen({ ...live.now(), view }, terminal.size(), colours);
    ({ view, page } = drawn);
    terminal.show(drawn.lines);
  };
  const drawSoon = () => {
    // An answer may come when the terminal has been given back.
    if (!ended) draw_timer ??= setTimeout(draw, DRAW_MS);
  };
  const live = liveOverview(client, first, { interval_ms, onChange: drawSoon });
  emitKeypressEvents(process.stdin);
  try {
    await new Promise<void>((resolve) => {
      process.stdin.on("keypress", (text: string | undefined, key: Keypress) => {
        for (const each of keysOf(text, key)) {
          const next = pressed(view, each, live.now().overview, page);
          if (next === null) return resolve();
          view = next;
        }
        live.hold(view.paused);
        draw();
      });
      process.stdin.once("end", resolve);
      for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.once(signal, resolve);
      terminal.onResize(draw);
      draw();
    });
  } finally {
    ended = true;
    clearTimeout(draw_timer);
    live.stop();
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
