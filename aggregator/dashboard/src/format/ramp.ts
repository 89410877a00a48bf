import { computed } from "@preact/signals";
import { painted, theme } from "./settings.ts";

type Rgb = readonly [r: number, g: number, b: number];
export interface Paint {
  ground: string;
  ink: string;
}

// From cold by way of the middle to hot. Blue against orange stays apart for every common kind of colour blindness.
const LIGHT: readonly Rgb[] = [
  [54, 113, 173],
  [150, 190, 221],
  [229, 236, 241],
  [246, 187, 128],
  [201, 84, 6],
];
const DARK: readonly Rgb[] = [
  [74, 148, 214],
  [40, 84, 124],
  [32, 47, 61],
  [120, 70, 26],
  [240, 130, 50],
];
const STEPS = 64;

const is_dark = computed(() => {
  void painted.value;
  if (theme.value !== "auto") return theme.value === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
});

/** W3C relative luminance. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Dark or light text, whichever stands out more: at the worst ground that is still 4.5:1. */
function inkOn(ground: Rgb): string {
  const l = luminance(ground);
  return 1.05 / (l + 0.05) > (l + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

function table(stops: readonly Rgb[]): Paint[] {
  return Array.from({ length: STEPS + 1 }, (_, i) => {
    const at = ((stops.length - 1) * i) / STEPS;
    const from = Math.min(Math.floor(at), stops.length - 2);
    const mixed = stops[from]!.map((c, k) =>
      Math.round(c + (stops[from + 1]![k]! - c) * (at - from)),
    ) as unknown as Rgb;
    return { ground: `rgb(${mixed.join(" ")})`, ink: inkOn(mixed) };
  });
}

const paints = computed(() => table(is_dark.value ? DARK : LIGHT));

/** The colours of a share between 0 (cold) and 1 (hot). */
export function paint(part: number): Paint {
  return paints.value[Math.round(STEPS * Math.min(1, Math.max(0, part)))]!;
}
