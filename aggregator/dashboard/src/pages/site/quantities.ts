import type { RackSummary } from "../../../../../shared/contracts/overview.ts";
import type { SiteState } from "../../data/live.ts";
import { NONE, number, temperature } from "../../format/numbers.ts";

/** What the floor plan can show. */
export interface Quantity {
  label: string;
  value: (rack: RackSummary) => number | null;
  /** With its unit; `short` is what fits into a cell. */
  text: (rack: RackSummary) => string;
  short: (rack: RackSummary) => string;
  /** The values at the cold and the hot end of the colours. */
  scale: (site: SiteState) => readonly [cold: number, hot: number];
  scaleText: (value: number) => string;
  /** What the hot end means. */
  hot: string;
}

const STATE_LEVELS: Record<string, number> = { nominal: 0.5, transient: 0.78, persistent: 1 };

export const QUANTITIES = {
  inlet: {
    label: "Inlet",
    value: ({ inlet_c }) => inlet_c,
    text: ({ inlet_c }) => temperature(inlet_c),
    short: ({ inlet_c }) => degrees(inlet_c),
    scale: ({ limits }) => [limits.inlet_c - 12, limits.inlet_c],
    scaleText: (value) => temperature(value, 0),
    hot: "limit",
  },
  outlet: {
    label: "Outlet",
    value: ({ outlet_c }) => outlet_c,
    text: ({ outlet_c }) => temperature(outlet_c),
    short: ({ outlet_c }) => degrees(outlet_c),
    scale: () => [26, 50],
    scaleText: (value) => temperature(value, 0),
    hot: "and more",
  },
  power: {
    label: "Power",
    value: ({ pdu_kw }) => pdu_kw,
    text: ({ pdu_kw }) => (pdu_kw === null ? NONE : `${number(pdu_kw, 1)}\u202fkW`),
    short: ({ pdu_kw }) => number(pdu_kw, 1),
    scale: ({ limits }) => [2, limits.rack_kw],
    scaleText: (value) => `${number(value)}\u202fkW`,
    hot: "cap",
  },
  d: {
    label: "D",
    value: ({ d, tau_fast }) => (d === null || tau_fast === null ? null : d / tau_fast),
    text: ({ d }) => `D ${number(d, 2)}`,
    short: ({ d }) => number(d, 2),
    // The fast threshold is in the middle: what is warm is beyond it.
    scale: () => [0, 2],
    scaleText: (value) => `${number(value)} × threshold`,
    hot: "and more",
  },
  state: {
    label: "State",
    value: ({ state }) => STATE_LEVELS[state] ?? null,
    text: ({ state }) => state,
    short: ({ mms_ema }) => number(mms_ema, 1),
    scale: () => [0, 1],
    scaleText: () => "",
    hot: "",
  },
} as const satisfies Record<string, Quantity>;
export type QuantityName = keyof typeof QUANTITIES;

function degrees(celsius: number | null): string {
  return celsius === null ? NONE : temperature(celsius).split("\u202f")[0]!;
}
