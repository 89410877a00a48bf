import type { ComponentChildren, JSX } from "preact";
import type { Tone } from "./badge.tsx";

interface TileProps {
  label: string;
  value: string;
  unit?: string;
  /** What the figure is to be held against. */
  note?: ComponentChildren;
  tone?: Tone | undefined;
  title?: string;
  /** A sparkline or a meter. */
  children?: ComponentChildren;
}

/** One key figure. */
export function Tile({ label, value, unit, note, tone, title, children }: TileProps): JSX.Element {
  return (
    <div class={`tile ${tone ?? ""}`} title={title}>
      <dt>{label}</dt>
      <dd class="tile-value">
        {value}
        {unit ? <span class="unit">{unit}</span> : null}
      </dd>
      {note ? <dd class="tile-note">{note}</dd> : null}
      {children ? <dd class="tile-picture">{children}</dd> : null}
    </div>
  );
}
