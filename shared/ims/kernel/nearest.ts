import { NEAREST_WASM_BASE64 } from "./nearest-wasm.ts";

/** Cluster centres and the standardisation that leads to their space: z = (x − mean) × inverse_scale. */
export interface NearestProblem {
  /** One value per feature. */
  mean: Float64Array;
  inverse_scale: Float64Array;
  /** k × features, row-major, standardised. */
  centers: Float64Array;
}

/**
 * Finds each row's nearest centre.
 *
 * @param x n × features, row-major, without NaN
 * @param label out: index of the nearest centre, the lowest wins a tie
 * @param d2 out: squared distance to it
 * @param sums k × features: each row is added to the sum of its nearest centre
 */
export type NearestRows = (
  problem: NearestProblem,
  x: Float64Array,
  label: Int32Array,
  d2: Float64Array,
  sums?: Float64Array,
) => void;

/** The plain twin of the WebAssembly kernel: the same operations in the same order, so the same bits. */
export const nearestRowsPlain: NearestRows = (problem, x, label, d2, sums) => {
  const { mean, inverse_scale, centers } = problem;
  const features = mean.length;
  const z = new Float64Array(features);
  for (let i = 0; i < d2.length; i++) {
    for (let j = 0; j < features; j++) z[j] = (x[i * features + j]! - mean[j]!) * inverse_scale[j]!;
    let best = Number.POSITIVE_INFINITY;
    let best_label = 0;
    for (let at = 0, c = 0; at < centers.length; at += features, c++) {
      let sum = 0;
      for (let j = 0; j < features; j++) {
        const difference = z[j]! - centers[at + j]!;
        sum += difference * difference;
      }
      if (sum < best) {
        best = sum;
        best_label = c;
      }
    }
    label[i] = best_label;
    d2[i] = best;
    if (sums) for (let j = 0; j < features; j++) sums[best_label * features + j]! += x[i * features + j]!;
  }
};

interface Exports {
  memory: WebAssembly.Memory;
  nearest(
    ...args: [
      rows: number,
      features: number,
      k: number,
      x: number,
      mean: number,
      inverse_scale: number,
      centers: number,
      scratch: number,
      label: number,
      d2: number,
    ]
  ): void;
  accumulate(rows: number, features: number, x: number, label: number, sums: number): void;
}

const DOUBLE = 8;
const LANES = 4;
/** Rows go through the kernel's memory in chunks that stay in the processor's cache. */
const CHUNK_ROWS = 2_048;
/** Room for scratch, alignment and results beside rows and centres, in doubles. */
const MEMORY_DOUBLES = (40 * 65_536) / DOUBLE;

let kernel: Exports | undefined;

/** Compiled at the first use; 576 bytes take well under a millisecond. */
function loadKernel(): Exports {
  if (!kernel) {
    const module = new WebAssembly.Module(Buffer.from(NEAREST_WASM_BASE64, "base64"));
    kernel = new WebAssembly.Instance(module).exports as Exports;
  }
  return kernel;
}

/** SIMD WebAssembly, about five times the speed of the plain twin (`npm run bench -- ims`). */
const nearestRowsSimd: NearestRows = (problem, x, label, d2, sums) => {
  const { mean, inverse_scale, centers } = problem;
  const features = mean.length;
  const layout = memoryLayout(features, centers.length);
  // A model too large for the kernel's memory is rare, and slow either way.
  if (layout.end > MEMORY_DOUBLES) {
    nearestRowsPlain(problem, x, label, d2, sums);
    return;
  }
  const { memory, nearest, accumulate } = loadKernel();
  const doubles = new Float64Array(memory.buffer);
  const integers = new Int32Array(memory.buffer);
  doubles.set(mean, layout.mean);
  doubles.set(inverse_scale, layout.inverse_scale);
  doubles.set(centers, layout.centers);
  if (sums) doubles.set(sums, layout.sums);
  for (let first = 0; first < d2.length; first += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, d2.length - first);
    doubles.set(x.subarray(first * features, (first + rows) * features), layout.x);
    // The last lanes may hold leftovers of the chunk before; what they give is not read.
    const padded = Math.ceil(rows / LANES) * LANES;
    nearest(
      padded,
      features,
      centers.length / features,
      layout.x * DOUBLE,
      layout.mean * DOUBLE,
      layout.inverse_scale * DOUBLE,
      layout.centers * DOUBLE,
      layout.scratch * DOUBLE,
      layout.label * DOUBLE,
      layout.d2 * DOUBLE,
    );
    if (sums) {
      const at = { x: layout.x * DOUBLE, label: layout.label * DOUBLE, sums: layout.sums * DOUBLE };
      accumulate(rows, features, at.x, at.label, at.sums);
    }
    label.set(integers.subarray(layout.label * 2, layout.label * 2 + rows), first);
    d2.set(doubles.subarray(layout.d2, layout.d2 + rows), first);
  }
  if (sums) sums.set(doubles.subarray(layout.sums, layout.sums + sums.length));
};

/** The packaged agent runs without a compiler, and so without WebAssembly. */
export const nearestRows = typeof WebAssembly === "undefined" ? nearestRowsPlain : nearestRowsSimd;

/** Where everything lies in the kernel's memory, in doubles; vectors start at multiples of 16 bytes. */
function memoryLayout(features: number, center_values: number) {
  let next = 0;
  const room = (doubles: number) => {
    const start = next;
    next += doubles + (doubles % 2);
    return start;
  };
  return {
    x: room(CHUNK_ROWS * features),
    mean: room(features),
    inverse_scale: room(features),
    centers: room(center_values),
    sums: room(center_values),
    scratch: room(features * LANES),
    label: room(CHUNK_ROWS / 2),
    d2: room(CHUNK_ROWS),
    end: next,
  };
}
