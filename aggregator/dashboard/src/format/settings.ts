import { effect, type Signal, signal } from "@preact/signals";

/** How this browser's user likes it; kept in the browser. */
function kept<T extends string>(name: string, choices: readonly T[], fallback: T): Signal<T> {
  const key = `skadi-${name}`;
  const before = localStorage.getItem(key) as T | null;
  const setting = signal<T>(before !== null && choices.includes(before) ? before : fallback);
  effect(() => localStorage.setItem(key, setting.value));
  return setting;
}

export const THEMES = ["auto", "light", "dark"] as const;
export const ZONES = ["site", "browser", "UTC"] as const;
export const TEMPERATURE_UNITS = ["°C", "°F"] as const;

export const theme = kept("theme", THEMES, "auto");
export const zone = kept("zone", ZONES, "site");
export const temperature_unit = kept("temperature", TEMPERATURE_UNITS, "°C");

/** Grows when colours change, for what is drawn on a canvas. */
export const painted = signal(0);

export function followTheme(): void {
  effect(() => {
    document.documentElement.style.colorScheme = theme.value === "auto" ? "light dark" : theme.value;
    painted.value = painted.peek() + 1;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    painted.value++;
  });
}
