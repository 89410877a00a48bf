/** The five operating profiles of the described data generator (design §4): [low, high] of each quantity. */
export const PROFILES = {
  nominal: {
    inlet_c: [21, 24],
    outlet_c: [33, 38],
    pdu_kw: [6, 10],
    tokens_ps: [7000, 10000],
    latency_p95_ms: [150, 220],
    queue_depth: [15, 60],
    fan_rpm_pct: [55, 75],
    pump_rpm_pct: [50, 65],
  },
  high_load: {
    inlet_c: [23, 27],
    outlet_c: [38, 45],
    pdu_kw: [9, 11.5],
    tokens_ps: [10000, 14000],
    latency_p95_ms: [200, 280],
    queue_depth: [60, 120],
    fan_rpm_pct: [70, 90],
    pump_rpm_pct: [60, 80],
  },
  thermal_event: {
    inlet_c: [26, 30],
    outlet_c: [42, 52],
    pdu_kw: [10, 12.5],
    tokens_ps: [9000, 12000],
    latency_p95_ms: [220, 350],
    queue_depth: [80, 150],
    fan_rpm_pct: [85, 100],
    pump_rpm_pct: [75, 90],
  },
  under_utilized: {
    inlet_c: [19, 22],
    outlet_c: [28, 33],
    pdu_kw: [3, 6],
    tokens_ps: [2000, 5000],
    latency_p95_ms: [120, 180],
    queue_depth: [5, 25],
    fan_rpm_pct: [45, 60],
    pump_rpm_pct: [40, 55],
  },
  overcooled: {
    inlet_c: [17, 20],
    outlet_c: [30, 35],
    pdu_kw: [6.5, 9.5],
    tokens_ps: [6000, 9000],
    latency_p95_ms: [160, 210],
    queue_depth: [20, 50],
    fan_rpm_pct: [75, 95],
    pump_rpm_pct: [65, 85],
  },
} as const satisfies Record<string, Record<ProfileField, readonly [number, number]>>;

export type Profile = keyof typeof PROFILES;

/** The quantities that a profile draws; the others follow from them. */
export const PROFILE_FIELDS = [
  "inlet_c",
  "outlet_c",
  "pdu_kw",
  "tokens_ps",
  "latency_p95_ms",
  "queue_depth",
  "fan_rpm_pct",
  "pump_rpm_pct",
] as const;
export type ProfileField = (typeof PROFILE_FIELDS)[number];

/** Standard deviation of the noise, as a share of the range's width. */
export const NOISE_SHARE = 0.05;
