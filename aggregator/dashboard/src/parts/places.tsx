import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { rack_ids, rackSignal } from "../data/live.ts";

/** In the order of the floor. */
const row_names = computed(() => [
  ...new Set(rack_ids.value.flatMap((rack_id) => rackSignal(rack_id)?.peek().row ?? [])),
]);

export const isRack = (place: string): boolean => rack_ids.value.includes(place);

/** `R-C-07` or `row C`, within a sentence. */
export const placeText = (place: string): string => (isRack(place) ? place : `row ${place}`);

interface PlaceSelectProps {
  label: string;
  /** What no choice means. */
  none: string;
  /** A rack, a row, or "". */
  value: string;
  onChange: (place: string) => void;
}

/** A row or a rack to choose. */
export function PlaceSelect({ label, none, value, onChange }: PlaceSelectProps): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{none}</option>
        <optgroup label="Rows">
          {row_names.value.map((row) => (
            <option key={row} value={row}>
              Row {row}
            </option>
          ))}
        </optgroup>
        <optgroup label="Racks">
          {rack_ids.value.map((rack_id) => (
            <option key={rack_id} value={rack_id}>
              {rack_id}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}
