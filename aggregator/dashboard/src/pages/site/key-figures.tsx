import type { JSX } from "preact";
import { site } from "../../data/live.ts";
import { useQuery } from "../../data/query.ts";
import { NONE, number, temperature } from "../../format/numbers.ts";
import type { Tone } from "../../ui/badge.tsx";
import { Spark } from "../../ui/spark.tsx";
import { Tile } from "../../ui/tile.tsx";

interface Timeline {
  points: {
    inlet_max_c: number | null;
    latency_mean_ms: number | null;
    d_max: number | null;
    energy_kwh: number;
    tokens: number;
  }[];
}
interface Savings {
  estimate: { saved_pct: number; saved_kwh: number; saved_pct_interval: [number, number] } | null;
  warnings: string[];
}

const MINUTE_MS = 60_000;
/** A figure this near to its limit is worth a look. */
const NEAR = 0.95;

export function KeyFigures(): JSX.Element {
  const { kpis, racks, limits } = site.value!;
  const timeline = useQuery<Timeline>("/timeline?limit=1", { every_ms: MINUTE_MS / 2 });
  const points = timeline.data?.points ?? [];
  // The last minute is still being filled.
  const whole = points.slice(0, -1);
  const per_prompt =
    kpis.wh_per_prompt === null || !kpis.j_per_token ? 0 : kpis.wh_per_prompt / kpis.j_per_token;
  const wh = whole.map(({ energy_kwh, tokens }) =>
    tokens > 0 ? (energy_kwh * 3.6e6 * per_prompt) / tokens : null,
  );
  const below = kpis.wh_below_baseline_pct;
  return (
    <section aria-label="Key figures">
      <dl class="tiles">
        <Tile
          label="Racks online"
          value={number(racks.online)}
          unit={`of ${number(racks.total)}`}
          tone={racks.online < racks.total ? "warn" : undefined}
          note={`${racks.persistent} persistent, ${racks.transient} transient`}
        >
          <RackBar />
        </Tile>
        <Tile
          label="Energy per prompt"
          value={number(kpis.wh_per_prompt, 3)}
          unit="Wh"
          note={
            below === null
              ? `baseline ${number(kpis.baseline_wh_per_prompt, 2)} Wh`
              : `${number(Math.abs(below), 1)} % ${below >= 0 ? "below" : "above"} ${number(kpis.baseline_wh_per_prompt, 2)}`
          }
        >
          <Spark values={wh} />
        </Tile>
        <Tile
          label="Latency p95"
          value={number(kpis.latency_p95_ms)}
          unit="ms"
          tone={latencyTone(kpis.latency_p95_ms, limits.latency_p95_ms)}
          note={`limit ${number(limits.latency_p95_ms)}; worst rack ${number(kpis.latency_p95_max_ms)}`}
        >
          <Spark values={whole.map(({ latency_mean_ms }) => latency_mean_ms)} />
        </Tile>
        <Tile
          label="Inlets within limit"
          value={number(kpis.inlet_compliance_pct, 1)}
          unit="%"
          tone={kpis.inlet_compliance_pct !== null && kpis.inlet_compliance_pct < 100 ? "bad" : undefined}
          note={`below ${temperature(limits.inlet_c, 0)}${whole.length > 1 ? "; the hottest:" : ""}`}
        >
          <Spark values={whole.map(({ inlet_max_c }) => inlet_max_c)} limit={limits.inlet_c} />
        </Tile>
        <SavedTile />
        <Tile
          label="IT power"
          value={number(kpis.pdu_kw)}
          unit="kW"
          note={`${number(kpis.tokens_ps / 1000)} k tokens/s, ${number(kpis.j_per_token, 2)} J each`}
        >
          <Spark values={whole.map(({ energy_kwh }) => energy_kwh)} />
        </Tile>
      </dl>
    </section>
  );
}

function latencyTone(value: number | null, limit: number): Tone | undefined {
  if (value === null || value < NEAR * limit) return undefined;
  return value >= limit ? "bad" : "warn";
}

/** How many racks are in which state. */
function RackBar(): JSX.Element {
  const { nominal, transient, persistent, unknown } = site.value!.racks;
  const parts = [
    ["bad", persistent],
    ["warn", transient],
    ["ok", nominal],
    ["muted", unknown],
  ] as const;
  return (
    <span class="rack-bar" aria-hidden="true">
      {parts.map(([tone, n]) =>
        n > 0 ? <span key={tone} class={`fill-${tone}`} style={{ flexGrow: n }} /> : null,
      )}
    </span>
  );
}

/** What was saved in a day, with how surely: a figure alone would claim too much. */
function SavedTile(): JSX.Element {
  const { data } = useQuery<Savings>("/savings", { every_ms: 5 * MINUTE_MS });
  const estimate = data?.estimate;
  if (!estimate) {
    return <Tile label="Energy saved, 24 h" value={NONE} note={data?.warnings[0] ?? "not measured yet"} />;
  }
  const [low, high] = estimate.saved_pct_interval;
  return (
    <Tile
      label="Energy saved, 24 h"
      value={number(estimate.saved_pct, 1)}
      unit="%"
      note={`95 %: ${number(low, 1)} to ${number(high, 1)} %; ${number(estimate.saved_kwh)} kWh`}
    >
      <Interval low={low} high={high} value={estimate.saved_pct} />
    </Tile>
  );
}

function Interval({ low, high, value }: { low: number; high: number; value: number }): JSX.Element {
  const from = Math.min(0, low);
  const span = Math.max(high, 0) - from || 1;
  const at = (x: number) => `${(100 * (x - from)) / span}%`;
  return (
    <span class="interval" aria-hidden="true">
      <span class="interval-zero" style={{ left: at(0) }} />
      <span class="interval-range" style={{ left: at(low), right: `calc(100% - ${at(high)})` }} />
      <span class="interval-mark" style={{ left: at(value) }} />
    </span>
  );
}
