/** A drive's scale and offset: raw = value × scale + offset. */
export interface RawScale {
  scale: number;
  offset: number;
}

/** What the device is told for a value in the target's unit. */
export const toRaw = ({ scale, offset }: RawScale, value: number): number => value * scale + offset;

/** The value in the target's unit that a device's number stands for. */
export const fromRaw = ({ scale, offset }: RawScale, raw: number): number => (raw - offset) / scale;
