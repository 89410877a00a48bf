import { rowOf } from "../../shared/contracts/rack.ts";
import type { Random } from "../../shared/random.ts";
import { type DataRow, emptyRow, type RowSink, ticksOf } from "../data/data-row.ts";
import { NOISE_SHARE, PROFILE_FIELDS, PROFILES, type Profile } from "./profiles.ts";

const OUTLET_ABOVE_INLET_MIN_C = 8;
const GPU_SHARE_OF_PDU = 0.7;

export interface RecipeOptions {
  rack_ids: readonly string[];
  start_ms: number;
  hours: number;
  tick_s: number;
  random: Random;
}

/**
 * The described statistical data generator (design §4): every tick draws one profile for the whole site, rows C
 * and E may deviate from it, and each quantity is uniform in its profile's range plus 5 % Gaussian noise.
 *
 * @param sink receives racks × ticks rows, tick by tick
 */
export function* generateRecipe(options: RecipeOptions, sink: RowSink): Generator<number> {
  const { random, tick_s } = options;
  const ticks = ticksOf(options);
  const row = emptyRow();
  const rows_of = options.rack_ids.map(rowOf);
  for (let t = 0; t < ticks; t++) {
    row.ts_ms = options.start_ms + t * tick_s * 1000;
    const shared = tickProfile(new Date(row.ts_ms).getUTCHours(), random);
    for (let i = 0; i < rows_of.length; i++) {
      row.rack_id = options.rack_ids[i]!;
      row.regime = rackProfile(rows_of[i]!, shared, random);
      draw(row, row.regime, tick_s, random);
      sink(row);
    }
    yield t + 1;
  }
}

/** The site's profile of one tick, by UTC hour. */
export function tickProfile(hour: number, random: Random): Profile {
  if (random.uniform() < 0.05) return "thermal_event";
  if (hour < 6 && random.uniform() < 0.1) return "under_utilized";
  if (random.uniform() < 0.03) return "overcooled";
  const office_hours = hour >= 9 && hour < 18;
  if (office_hours) return random.uniform() < 0.3 ? "high_load" : "nominal";
  return random.uniform() < 0.2 ? "under_utilized" : "nominal";
}

/** Row C is the site's hot spot, row E its cold aisle. */
export function rackProfile(row: string, shared: Profile, random: Random): Profile {
  if (row === "C" && (shared === "nominal" || shared === "high_load") && random.uniform() < 0.08) {
    return "thermal_event";
  }
  if (row === "E" && shared === "nominal" && random.uniform() < 0.15) return "overcooled";
  return shared;
}

/** Ranges and noise of each profile as flat arrays, in the order of PROFILE_FIELDS. */
const DRAWS = Object.fromEntries(
  Object.entries(PROFILES).map(([profile, ranges]) => [
    profile,
    {
      low: Float64Array.from(PROFILE_FIELDS, (field) => ranges[field][0]),
      width: Float64Array.from(PROFILE_FIELDS, (field) => ranges[field][1] - ranges[field][0]),
    },
  ]),
) as Record<Profile, { low: Float64Array; width: Float64Array }>;

const drawn = new Float64Array(PROFILE_FIELDS.length);

function draw(row: DataRow, profile: Profile, tick_s: number, random: Random): void {
  const { low, width } = DRAWS[profile];
  for (let i = 0; i < drawn.length; i++) {
    drawn[i] = low[i]! + width[i]! * (random.uniform() + NOISE_SHARE * random.normal());
  }
  row.inlet_c = drawn[0]!;
  row.outlet_c = Math.max(drawn[1]!, row.inlet_c + OUTLET_ABOVE_INLET_MIN_C);
  row.pdu_kw = drawn[2]!;
  row.tokens_ps = drawn[3]!;
  row.latency_p95_ms = drawn[4]!;
  row.queue_depth = Math.max(1, Math.round(drawn[5]!));
  row.fan_rpm_pct = clamp(drawn[6]!, 40, 100);
  row.pump_rpm_pct = clamp(drawn[7]!, 35, 90);
  row.delta_t = row.outlet_c - row.inlet_c;
  // True kilowatts: the described code divided a 5 s energy by the tick and was 6–12 times too low.
  row.gpu_power_kw = GPU_SHARE_OF_PDU * row.pdu_kw;
  row.gpu_energy_j = row.gpu_power_kw * 1000 * tick_s;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
