import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icons.tsx";

/** Nothing to show, and why that is so. */
export function Empty({
  icon = "check",
  title,
  children,
}: {
  icon?: IconName;
  title: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} size={26} />
      <p class="empty-title">{title}</p>
      {children ? <div class="quiet">{children}</div> : null}
    </div>
  );
}

/** What went wrong, in the API's own words, and a way to try again. */
export function Problem({ error, retry }: { error: Error; retry?: () => void }): JSX.Element {
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <p>{error.message}</p>
      {retry ? (
        <button type="button" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}

/** Room that stays the same when the answer is there. */
export function Loading({ lines = 3, label = "Loading" }: { lines?: number; label?: string }): JSX.Element {
  return (
    <div class="loading" role="status">
      <span class="hidden">{label}</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="bone" style={{ width: `${90 - 17 * (i % 3)}%` }} />
      ))}
    </div>
  );
}
