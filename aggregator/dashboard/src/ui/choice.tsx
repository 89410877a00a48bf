import type { JSX } from "preact";
import { useId } from "preact/hooks";

interface ChoiceProps<T extends string> {
  /** Named for screen readers; shown only with `labelled`. */
  label: string;
  labelled?: boolean;
  value: T;
  options: readonly { value: T; label: string; title?: string }[];
  onChange: (value: T) => void;
}

/** One of a few, side by side. Radio buttons underneath, so arrow keys work as everywhere. */
export function Choice<T extends string>({
  label,
  labelled = false,
  value,
  options,
  onChange,
}: ChoiceProps<T>): JSX.Element {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class={labelled ? "choice-label" : "hidden"}>{label}</legend>
      <div class="choice-options">
        {options.map((option) => (
          <label key={option.value} title={option.title}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
