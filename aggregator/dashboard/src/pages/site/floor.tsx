import { computed, signal } from "@preact/signals";
import type { CSSProperties, JSX } from "preact";
import { memo } from "preact/compat";
import type { RackSummary } from "../../../../../shared/contracts/overview.ts";
import { rack_ids, rackSignal, site } from "../../data/live.ts";
import { number, percent, temperature } from "../../format/numbers.ts";
import { paint } from "../../format/ramp.ts";
import { href } from "../../router.ts";
import { CONDITION_LOOKS, ConditionBadge, Shape } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { Panel } from "../../ui/panel.tsx";
import { QUANTITIES, type Quantity, type QuantityName } from "./quantities.ts";

/** From so many racks on a cell has room for its colour and shape alone. */
const COMPACT_FROM = 200;

const quantity = signal<QuantityName>("inlet");
/** The rack under the pointer or the focus. */
const pointed = signal<string | null>(null);
/** The one cell that Tab reaches. */
const entry = signal<string | null>(null);

const rows = computed(() => {
  const by_row = new Map<string, string[]>();
  for (const rack_id of rack_ids.value) {
    const row = rackSignal(rack_id)?.peek().row ?? "";
    const members = by_row.get(row);
    if (members) members.push(rack_id);
    else by_row.set(row, [rack_id]);
  }
  return [...by_row];
});

const options = (Object.keys(QUANTITIES) as QuantityName[]).map((value) => ({
  value,
  label: QUANTITIES[value].label,
}));

/** The racks where they stand, coloured by one quantity; each cell is redrawn when its own rack changes. */
export function FloorPlan(): JSX.Element {
  const compact = rack_ids.value.length > COMPACT_FROM;
  const columns = Math.max(1, ...rows.value.map(([, members]) => members.length));
  return (
    <Panel
      title="Floor"
      class="floor-panel"
      aside={
        <Choice
          label="Quantity shown"
          value={quantity.value}
          options={options}
          onChange={(value) => {
            quantity.value = value;
          }}
        />
      }
    >
      <table
        class={compact ? "floor compact" : "floor"}
        aria-label="Racks by row"
        aria-describedby="floor-legend"
        style={{ "--columns": columns }}
        onKeyDown={moveFocus}
        onPointerLeave={() => {
          pointed.value = null;
        }}
      >
        <tbody>
          {rows.value.map(([row, members]) => (
            <Row key={row} row={row} members={members} compact={compact} />
          ))}
        </tbody>
      </table>
      <Legend />
      <Glance />
    </Panel>
  );
}

const Row = memo(
  ({ row, members, compact }: { row: string; members: readonly string[]; compact: boolean }) => (
    <tr class="floor-row">
      <th class="floor-name" scope="row">
        {row}
      </th>
      {members.map((rack_id) => (
        <Cell key={rack_id} rack_id={rack_id} compact={compact} />
      ))}
    </tr>
  ),
);

const Cell = memo(({ rack_id, compact }: { rack_id: string; compact: boolean }) => {
  const rack = rackSignal(rack_id)!.value;
  const shown: Quantity = QUANTITIES[quantity.value];
  const { shape, label } = CONDITION_LOOKS[rack.state]!;
  const state = rack.online ? label.toLowerCase() : "no recent data";
  const is_entry = (entry.value ?? rack_ids.value[0]) === rack_id;
  return (
    <td class="floor-place">
      <a
        id={`cell-${rack_id}`}
        href={href("racks", rack_id)}
        class={`cell ${rack.state} ${rack.online ? "" : "stale"}`}
        style={rack.online ? cellPaint(rack, shown) : undefined}
        tabIndex={is_entry ? 0 : -1}
        aria-label={`${rack_id}: ${shown.label} ${shown.text(rack)}, ${state}`}
        onPointerEnter={() => {
          pointed.value = rack_id;
        }}
        onFocus={() => {
          pointed.value = rack_id;
          entry.value = rack_id;
        }}
      >
        {compact ? null : <span class="cell-value">{shown.short(rack)}</span>}
        {rack.state === "nominal" ? null : <Shape name={shape} size={compact ? 8 : 10} />}
      </a>
    </td>
  );
});

function cellPaint(rack: RackSummary, shown: Quantity): CSSProperties | undefined {
  const value = shown.value(rack);
  const state = site.peek();
  if (value === null || !state) return undefined;
  const [cold, hot] = shown.scale(state);
  const { ground, ink } = paint((value - cold) / (hot - cold));
  return { background: ground, color: ink };
}

/** Arrow keys go from rack to rack; Tab goes on past the floor. */
function moveFocus(event: KeyboardEvent): void {
  const at = pointedCell();
  if (!at) return;
  const { row, position } = at;
  const all = rows.value;
  const moves: Record<string, string | undefined> = {
    ArrowLeft: all[row]?.[1][position - 1],
    ArrowRight: all[row]?.[1][position + 1],
    ArrowUp: all[row - 1]?.[1][position],
    ArrowDown: all[row + 1]?.[1][position],
    Home: all[row]?.[1][0],
    End: all[row]?.[1].at(-1),
  };
  const target = moves[event.key];
  if (target === undefined) return;
  event.preventDefault();
  document.getElementById(`cell-${target}`)?.focus();
}

function pointedCell(): { row: number; position: number } | null {
  const rack_id = document.activeElement?.id.replace(/^cell-/, "");
  const row = rows.value.findIndex(([, members]) => members.some((member) => member === rack_id));
  if (row < 0) return null;
  return { row, position: rows.value[row]![1].indexOf(rack_id!) };
}

const RAMP_STEPS = 24;

function Legend(): JSX.Element {
  const shown: Quantity = QUANTITIES[quantity.value];
  const state = site.peek();
  const [cold, hot] = state ? shown.scale(state) : [0, 1];
  const gradient = Array.from({ length: RAMP_STEPS + 1 }, (_, i) => paint(i / RAMP_STEPS).ground).join(", ");
  return (
    <div class="legend" id="floor-legend">
      {quantity.value === "state" ? null : (
        <span class="legend-scale">
          {shown.scaleText(cold)}
          <span class="legend-ramp" style={{ background: `linear-gradient(90deg, ${gradient})` }} />
          {shown.scaleText(hot)} {shown.hot}
        </span>
      )}
      {Object.entries(CONDITION_LOOKS).map(([name, { tone, shape, label }]) => (
        <span key={name} class={`legend-state tone-${tone}`}>
          <Shape name={shape} /> {label}
        </span>
      ))}
      <span class="legend-state quiet">
        <span class="legend-stale" /> no recent data
      </span>
    </div>
  );
}

/** The pointed rack's figures in one line. */
function Glance(): JSX.Element {
  const rack = pointed.value ? rackSignal(pointed.value)?.value : undefined;
  if (!rack) return <p class="glance quiet">Point at a rack for its figures; open it for the reasons.</p>;
  return (
    <p class="glance">
      <strong>{rack.rack_id}</strong>
      <ConditionBadge state={rack.state} />
      <span>inlet {temperature(rack.inlet_c)}</span>
      <span>outlet {temperature(rack.outlet_c)}</span>
      <span>{number(rack.pdu_kw, 1)} kW</span>
      <span>D {number(rack.d, 2)}</span>
      <span>p95 {number(rack.latency_p95_ms)} ms</span>
      <span>fan {percent(rack.fan_rpm_pct)}</span>
      <span>pump {percent(rack.pump_rpm_pct)}</span>
    </p>
  );
}
