import type { JSX } from "preact";

const PATHS = {
  floor: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  alert: "M12 3.500 2.500 20h19zM12 10v4.500M12 17.500v.5",
  leaf: "M5 19c0-9 5-14 15-15 0 10-5 15-13 14M5 20c2-5 5-8 9-10",
  model: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM12 12l8-4.500M12 12v9M12 12 4 7.500",
  play: "M7 4.500v15l12-7.500z",
  check: "M5 12.500 10 17.500 19.500 7",
  cross: "M6 6l12 12M18 6 6 18",
  chevron: "M9 5l7 7-7 7",
  back: "M15 5l-7 7 7 7",
  help: "M9 9.200a3 3 0 1 1 4.600 2.500c-1 .7-1.600 1.300-1.600 2.600M12 18v.3",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4.500v5M6 14.500v5",
  key: "M14.500 9.500a4 4 0 1 0-3.300 3.900L13 15h2v2h2v2h3v-3l-5.800-5.800",
  power: "M12 4v8M7 7.500a7 7 0 1 0 10 0",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  info: "M12 11v6M12 7.500v.3",
  shield: "M12 3l8 3v6c0 5-3.500 8-8 9.500C7.500 20 4 17 4 12V6z",
} as const;
export type IconName = keyof typeof PATHS;

/** A picture beside words, never instead of them. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
