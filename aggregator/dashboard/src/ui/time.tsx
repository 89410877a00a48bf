import type { JSX } from "preact";
import { ago, clock, dateTime } from "../format/time.ts";

/** An instant: the clock, with the date and the age on hovering. */
export function Time({ ts, form = "clock" }: { ts: string; form?: "clock" | "date" | "ago" }): JSX.Element {
  const text = form === "clock" ? clock(ts) : form === "date" ? dateTime(ts) : ago(ts);
  return (
    <time dateTime={ts} title={`${dateTime(ts)} (${ts})`}>
      {text}
    </time>
  );
}
