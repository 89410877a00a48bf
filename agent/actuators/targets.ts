import type { RackTarget } from "../../shared/contracts/action.ts";

/** What a device is told: raw = value × scale + offset. */
export function toRaw(value: number, { scale, offset }: { scale: number; offset: number }): number {
  return value * scale + offset;
}

export function fromRaw(raw: number, { scale, offset }: { scale: number; offset: number }): number {
  return (raw - offset) / scale;
}

export function targetOf<T extends { target: RackTarget }>(targets: readonly T[], name: RackTarget): T {
  const found = targets.find(({ target }) => target === name);
  if (!found) throw new Error(`${name} is not driven by this device`);
  return found;
}
