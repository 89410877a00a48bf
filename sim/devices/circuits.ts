/** A rack PDU's circuits: how the rack's power is spread over them. */
export const OUTLETS = [
  { name: "Compute A", share: 0.52 },
  { name: "Compute B", share: 0.48 },
] as const;
export const PHASES = [
  { name: "L1", share: 0.35 },
  { name: "L2", share: 0.33 },
  { name: "L3", share: 0.32 },
] as const;

export const LINE_VOLTAGE_V = 230;
export const POWER_FACTOR = 0.98;

/** Whole units of a total per share; they add up to the total exactly, the last one takes the rounding. */
export function splitWhole(total: number, shares: readonly { share: number }[]): number[] {
  let rest = total;
  return shares.map(({ share }, i) => {
    const part = i === shares.length - 1 ? rest : Math.round(total * share);
    rest -= part;
    return part;
  });
}

/** Current in A of a power at line voltage. */
export function currentA(watts: number): number {
  return watts / (LINE_VOLTAGE_V * POWER_FACTOR);
}
