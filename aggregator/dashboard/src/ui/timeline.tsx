import type { ComponentChildren, JSX } from "preact";

interface TimelineProps {
  /** What it is the course of, for those who cannot see it. */
  label: string;
  /** With dates, not times alone. */
  dated?: boolean;
  /** `li` elements of a time and what happened then, newest first. */
  children: ComponentChildren;
}

/** What happened, newest first; a long one scrolls within itself. */
export function Timeline({ label, dated = false, children }: TimelineProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="timeline-scroll" tabIndex={0} aria-label={label}>
      <ol class={`timeline ${dated ? "dated" : ""}`}>{children}</ol>
    </section>
  );
}
