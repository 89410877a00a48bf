/** To a smaller unit; null where there is no value. */
export function times(value: number | null | undefined, factor: number): number | null {
  return isValue(value) ? value * factor : null;
}

/** To a larger unit. A division, because 95 × 0.01 is not 0.95. */
export function divided(value: number | null | undefined, divisor: number): number | null {
  return isValue(value) ? value / divisor : null;
}

function isValue(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}
