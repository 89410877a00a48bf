import { temperature_unit } from "./settings.ts";

type Maybe = number | null | undefined;

/** What cannot be told. */
export const NONE = "–";

// Made once each: toLocaleString would make one per call, and a floor of racks asks for thousands.
const formats: Intl.NumberFormat[] = [];
function format(digits: number): Intl.NumberFormat {
  formats[digits] ??= new Intl.NumberFormat("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return formats[digits];
}

/** A number with its decimals, thousands apart. */
export function number(value: Maybe, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return Math.abs(value) < 999 ? value.toFixed(digits) : format(digits).format(value);
}

const withUnit = (text: string, unit: string) => (text === NONE ? NONE : `${text}\u202f${unit}`);

export const percent = (value: Maybe, digits = 0): string => withUnit(number(value, digits), "%");
/** Of a share between 0 and 1. */
export const share = (value: Maybe, digits = 0): string =>
  percent(value === null || value === undefined ? null : 100 * value, digits);

/** In the unit that the user chose; the data are in °C. */
const toTemperature = (celsius: number): number =>
  temperature_unit.value === "°F" ? celsius * 1.8 + 32 : celsius;
export const temperature = (celsius: Maybe, digits = 1): string =>
  withUnit(
    number(celsius === null || celsius === undefined ? null : toTemperature(celsius), digits),
    temperature_unit.value,
  );
/** A difference of temperatures. */
export const temperatureStep = (celsius: Maybe, digits = 1): string => {
  const factor = temperature_unit.value === "°F" ? 1.8 : 1;
  return withUnit(
    number(celsius === null || celsius === undefined ? null : celsius * factor, digits),
    temperature_unit.value,
  );
};

/** A count with its noun: `1 rack`, `3 racks`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${number(n)} ${n === 1 ? one : many}`;

/** `12 s`, `4 min`, `3 h 20 min`, `5 d 2 h`. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s}\u202fs`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}\u202fmin`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours}\u202fh` : `${hours}\u202fh ${minutes % 60}\u202fmin`;
  return `${Math.floor(hours / 24)}\u202fd ${hours % 24}\u202fh`;
}
