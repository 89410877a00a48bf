/**
 * How a rack serves tokens: a micro-batcher with a finite buffer, modelled as an M/M/1/K queue of
 * micro-batches (Kleinrock, Queueing Systems I, §3.6). Prompts are served in slices by continuous batching
 * (Yu et al., "Orca", OSDI 2022); latency is that of a slice, queue depth counts slices in the rack.
 */
export interface ServingParameters {
  /** Tokens per second that a rack completes at full clocks and the default batching window. */
  capacity_tokens_ps: number;
  /** Tokens of one micro-batch, and of one slice of a prompt within it. */
  batch_tokens: number;
  slice_tokens: number;
  /** Micro-batches that fit in the buffer; what arrives beyond goes back to the router. */
  buffer_batches: number;
  /**
   * Time that a slice takes in an empty rack without the batching window, and what full batches add to it:
   * an iteration's duration grows linearly with its batch (Agrawal et al., "Sarathi-Serve", OSDI 2024).
   */
  pipeline_ms: number;
  full_batch_ms: number;
  batch_window_ms: number;
  /** Largest share of energy per token that an ever longer window would save, and its half-way window. */
  batch_saving: number;
  batch_half_ms: number;
}

export const SERVING_DEFAULTS: ServingParameters = {
  capacity_tokens_ps: 18_000,
  batch_tokens: 95,
  slice_tokens: 32,
  buffer_batches: 8,
  pipeline_ms: 95,
  full_batch_ms: 125,
  batch_window_ms: 20,
  batch_saving: 0.2,
  batch_half_ms: 40,
};

export interface BufferState {
  mean: number;
  variance: number;
  blocked_share: number;
}

/** Mean and variance of the number of batches in an M/M/1/K buffer, and the share of arrivals it refuses. */
export function bufferState(utilisation: number, buffer_batches: number, out: BufferState): BufferState {
  let weight = 1;
  let sum = 1;
  let first = 0;
  let second = 0;
  for (let n = 1; n <= buffer_batches; n++) {
    weight *= utilisation;
    sum += weight;
    first += n * weight;
    second += n * n * weight;
  }
  out.mean = first / sum;
  out.variance = second / sum - out.mean * out.mean;
  out.blocked_share = weight / sum;
  return out;
}

/**
 * Energy (and machine time) per token relative to the default window: a longer window fills larger batches,
 * which read the model's weights once for more tokens, with diminishing returns.
 */
export function batchCost(window_ms: number, p: ServingParameters): number {
  const cost = (ms: number) => 1 - (p.batch_saving * ms) / (ms + p.batch_half_ms);
  return cost(window_ms) / cost(p.batch_window_ms);
}

/** The columns that serving reads and writes. */
export interface ServingColumns {
  count: number;
  offered_tokens_ps: Float64Array;
  served_tokens_ps: Float64Array;
  blocked_tokens_ps: Float64Array;
  utilisation: Float64Array;
  wait_ms: Float64Array;
  latency_p95_ms: Float64Array;
  queue_depth: Float64Array;
  target: { batch_window_ms: Float64Array };
}

const scratch: BufferState = { mean: 0, variance: 0, blocked_share: 0 };

/** Serves one step of the offered load. `clock_share` is what throttling leaves of each rack's clock (0–1]. */
export function serve(racks: ServingColumns, clock_share: Float64Array, p: ServingParameters): void {
  for (let i = 0; i < racks.count; i++) {
    const wanted_ms = racks.target.batch_window_ms[i]!;
    const window_ms = Number.isNaN(wanted_ms) ? p.batch_window_ms : wanted_ms;
    const speed = clock_share[i]! / (window_ms === p.batch_window_ms ? 1 : batchCost(window_ms, p));
    const capacity = p.capacity_tokens_ps * speed;
    const offered = racks.offered_tokens_ps[i]!;
    const utilisation = offered / capacity;
    const buffer = bufferState(utilisation, p.buffer_batches, scratch);
    const served = offered * (1 - buffer.blocked_share);

    const batch_ms = (p.batch_tokens / capacity) * 1000;
    // Little's law over accepted batches; utilisation 0 leaves nobody waiting.
    const wait_ms =
      utilisation > 0 ? (buffer.mean * batch_ms) / (utilisation * (1 - buffer.blocked_share)) : batch_ms;
    const queueing_ms = wait_ms - batch_ms;
    // Waiting for memory does not depend on the clock, computing a batch does.
    const pipeline_ms = p.pipeline_ms + (p.full_batch_ms * Math.min(1, utilisation)) / clock_share[i]!;
    const mean_ms = pipeline_ms + window_ms / 2 + queueing_ms;
    // The wait is close to exponential (95th percentile = 3 × mean) until the full buffer bounds it.
    const p95_wait_ms = Math.min(3 * queueing_ms, p.buffer_batches * batch_ms);

    racks.utilisation[i] = utilisation;
    racks.served_tokens_ps[i] = served;
    racks.blocked_tokens_ps[i] = offered - served;
    racks.wait_ms[i] = p95_wait_ms;
    racks.latency_p95_ms[i] = pipeline_ms + window_ms + p95_wait_ms;
    racks.queue_depth[i] = (served / p.slice_tokens) * (mean_ms / 1000);
  }
}
