/** The IMS feature vector, in the order that every model file uses. */
export const FEATURES = [
  "inlet_c",
  "outlet_c",
  "delta_t",
  "pdu_kw",
  "gpu_power_kw",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
] as const;
