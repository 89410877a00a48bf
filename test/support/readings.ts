/** Readings in the middle of nominal operation; the energy is that of one second. */
export const NOMINAL_READING = {
  inlet_c: 22.5,
  outlet_c: 35.5,
  pdu_kw: 8,
  gpu_energy_j: 5_600,
  tokens_ps: 8_500,
  latency_p95_ms: 185,
  queue_depth: 37,
  fan_rpm_pct: 65,
  pump_rpm_pct: 57,
};

/** The same over the five seconds of a sample. */
export const NOMINAL_SAMPLE = { ...NOMINAL_READING, gpu_energy_j: 28_000 };
