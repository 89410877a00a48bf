import type { Overview, RackSummary } from "../../shared/contracts/overview.ts";

/** Smaller sorts first; what is not known sorts last. */
type Rank = (rack: RackSummary) => number | string;

const known = (value: number | null) => (value === null ? Number.POSITIVE_INFINITY : -value);
const SEVERITY = { persistent: 0, transient: 1, nominal: 2, unknown: 3 } as const;
/** D beside its own threshold, so that racks with different models compare. */
export const relativeD = ({ d, tau_fast }: RackSummary): number | null =>
  d === null || tau_fast === null ? null : d / tau_fast;

const SORTS = {
  worst: (rack) => SEVERITY[rack.state],
  d: (rack) => known(relativeD(rack)),
  rack: () => 0,
  inlet: (rack) => known(rack.inlet_c),
  outlet: (rack) => known(rack.outlet_c),
  power: (rack) => known(rack.pdu_kw),
  p95: (rack) => known(rack.latency_p95_ms),
  queue: (rack) => known(rack.queue_depth),
  fan: (rack) => known(rack.fan_rpm_pct),
} as const satisfies Record<string, Rank>;
export type SortKey = keyof typeof SORTS;
export const SORT_KEYS = Object.keys(SORTS) as [SortKey, ...SortKey[]];

export const STATES = ["nominal", "transient", "persistent", "unknown"] as const;
type State = (typeof STATES)[number];

/** What the person who looks has chosen. */
export interface View {
  sort: SortKey;
  reversed: boolean;
  row: string | null;
  state: State | null;
  /** Racks whose id holds this. */
  text: string;
  /** The filter's text is being typed. */
  typing: boolean;
  selected: string | null;
  /** Index of the first rack on the screen. */
  first: number;
  details: boolean;
  help: boolean;
  paused: boolean;
}

export const firstView = (choice: Partial<View> = {}): View => ({
  sort: "worst",
  reversed: false,
  row: null,
  state: null,
  text: "",
  typing: false,
  selected: null,
  first: 0,
  details: false,
  help: false,
  paused: false,
  ...choice,
});

/** The racks that the filters leave, in order. */
export function visibleRacks({ rack_list }: Pick<Overview, "rack_list">, view: View): RackSummary[] {
  const { row, state, text, sort, reversed } = view;
  const rank: Rank = SORTS[sort];
  const compare = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0);
  const direction = reversed ? -1 : 1;
  return rack_list
    .filter((rack) => row === null || rack.row === row)
    .filter((rack) => state === null || rack.state === state)
    .filter((rack) => rack.rack_id.toLowerCase().includes(text.toLowerCase()))
    .sort(
      (a, b) =>
        direction *
        (compare(rank(a), rank(b)) ||
          (sort === "worst" ? compare(known(relativeD(a)), known(relativeD(b))) : 0) ||
          compare(a.rack_id, b.rack_id)),
    );
}

/** A pressed key: its name as node:readline gives it, and what it types. */
export interface Key {
  name: string | undefined;
  text: string | undefined;
  ctrl: boolean;
}

/** What the view becomes by a key; null: the person is done. `page` is how many racks the screen shows. */
export function pressed(
  view: View,
  key: Key,
  overview: Pick<Overview, "rack_list">,
  page: number,
): View | null {
  if (key.ctrl && key.name === "c") return null;
  if (view.typing) return typed(view, key);
  const racks = visibleRacks(overview, view);
  const at = racks.findIndex(({ rack_id }) => rack_id === view.selected);
  const move = (to: number): View => {
    const rack = racks[Math.min(racks.length - 1, Math.max(0, to))];
    return { ...view, selected: rack?.rack_id ?? null };
  };
  const { name } = key;
  switch (key.text === "?" || key.text === "/" || key.text === "S" ? key.text : name) {
    case "q":
      return null;
    case "?":
    case "h":
      return { ...view, help: !view.help };
    case "escape":
      if (view.help || view.details) return { ...view, help: false, details: false };
      return { ...view, row: null, state: null, text: "", selected: null };
    case "return":
      return { ...(view.selected === null ? move(0) : view), details: !view.details };
    case "space":
      return { ...view, paused: !view.paused };
    case "s":
      return { ...view, sort: neighbour(SORT_KEYS, view.sort, 1)!, first: 0 };
    case "S":
      return { ...view, sort: neighbour(SORT_KEYS, view.sort, -1)!, first: 0 };
    case "r":
      return { ...view, reversed: !view.reversed };
    case "w":
      return { ...view, row: neighbour([null, ...rowsOf(overview)], view.row, 1), first: 0 };
    case "t":
      return { ...view, state: neighbour([null, ...STATES.toReversed()], view.state, 1), first: 0 };
    case "/":
      return { ...view, typing: true, text: "" };
    case "up":
    case "k":
      return move(at < 0 ? 0 : at - 1);
    case "down":
    case "j":
      return move(at + 1);
    case "pageup":
      return move(at - page);
    case "pagedown":
      return move(Math.max(0, at) + page);
    case "home":
      return move(0);
    case "end":
      return move(racks.length - 1);
    default:
      return view;
  }
}

function typed(view: View, { name, text, ctrl }: Key): View {
  switch (name) {
    case "return":
      return { ...view, typing: false };
    case "escape":
      return { ...view, typing: false, text: "" };
    case "backspace":
      return { ...view, text: view.text.slice(0, -1) };
    default:
      return !ctrl && text && /^[\w-]$/.test(text) ? { ...view, text: view.text + text, first: 0 } : view;
  }
}

function neighbour<T>(list: readonly T[], of: T, step: 1 | -1): T {
  return list[(list.indexOf(of) + step + list.length) % list.length]!;
}

const rowsOf = ({ rack_list }: Pick<Overview, "rack_list">) => [...new Set(rack_list.map(({ row }) => row))];

/** The view with the selected rack on the screen. */
export function scrolled(view: View, racks: readonly RackSummary[], page: number): View {
  const at = racks.findIndex(({ rack_id }) => rack_id === view.selected);
  const furthest = Math.max(0, racks.length - page);
  let first = view.first;
  if (at >= 0 && at < first) first = at;
  if (at >= first + page) first = at - page + 1;
  return { ...view, first: Math.min(furthest, Math.max(0, first)) };
}
