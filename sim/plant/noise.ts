/**
 * Noise as a pure function of what it belongs to: the same rack, field and instant always give the same number,
 * so that reading a sensor twice, or never, changes nothing else. MurmurHash3's finaliser (Appleby) does the
 * mixing; normals come from Box and Muller's transform.
 */
export interface NoiseSource {
  /** Uniform in [0, 1). */
  uniform(instant_ms: number, rack: number, channel: number): number;
  /** Standard normal. */
  normal(instant_ms: number, rack: number, channel: number): number;
}

export function noiseSource(seed: number): NoiseSource {
  // All channels of a rack are mostly read at once: what they share is mixed once.
  let mixed_ms = Number.NaN;
  let mixed_rack = -1;
  let mixed = 0;
  const key = (instant_ms: number, rack: number, channel: number) => {
    if (instant_ms !== mixed_ms || rack !== mixed_rack) {
      const high = Math.floor(instant_ms / 4294967296);
      const h = mix((mix(seed ^ (instant_ms | 0)) + Math.imul(high, 0x9e3779b1)) | 0);
      mixed = mix(h ^ Math.imul(rack + 1, 0x85ebca77));
      mixed_ms = instant_ms;
      mixed_rack = rack;
    }
    return mix((mixed + Math.imul(channel + 1, 0xc2b2ae3d)) | 0);
  };
  const unit = (h: number) => (h >>> 0) / 4294967296;
  return {
    uniform: (instant_ms, rack, channel) => unit(key(instant_ms, rack, channel)),
    normal(instant_ms, rack, channel) {
      const first = key(instant_ms, rack, channel);
      const radius = Math.sqrt(-2 * Math.log(1 - unit(first)));
      return radius * Math.cos(2 * Math.PI * unit(mix(first ^ 0x27d4eb2f)));
    },
  };
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
