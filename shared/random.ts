/** A seeded stream of random numbers: the same seed gives the same stream on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform in [low, high). */
  range(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
  /** An independent stream, derived from this one's seed and a label. */
  fork(label: string): Random;
}

/** FNV-1a, 32 bit: spreads seeds and labels over the state space. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  return h >>> 0;
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush, and fast in 32-bit JavaScript.
 * Normals by the polar method (Marsaglia & Bray, 1964), which yields two per accepted pair.
 */
export function seededRandom(seed: number | string): Random {
  const text = String(seed);
  let a = hash(`${text}/a`) | 0;
  let b = hash(`${text}/b`) | 0;
  let c = hash(`${text}/c`) | 0;
  let counter = 1;
  let spare = Number.NaN;
  const uniform = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return (t >>> 0) / 4294967296;
  };
  const normal = () => {
    if (!Number.isNaN(spare)) {
      const value = spare;
      spare = Number.NaN;
      return value;
    }
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * scale;
        return u * scale;
      }
    }
  };
  for (let i = 0; i < 16; i++) uniform();
  return {
    uniform,
    range: (low, high) => low + (high - low) * uniform(),
    normal,
    fork: (label) => seededRandom(`${text}/${label}`),
  };
}
