import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import type { SensorDriver } from "../../agent/sensors/driver.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { sealModel } from "../../shared/ims/model-file.ts";
import { scoreBatch } from "../../shared/ims/score.ts";
import { trainModel } from "../../shared/ims/train.ts";
import { type Random, seededRandom } from "../../shared/random.ts";
import type { Clock } from "../../shared/time.ts";
import { LIMITS } from "./models.ts";

/** One reading of nominal operation that scatters: every quantity by itself. */
function noisyReading(random: Random) {
  const inlet_c = 22.5 + random.normal();
  const gpu_power_kw = 5.6 + 0.4 * random.normal();
  return {
    inlet_c,
    outlet_c: inlet_c + 13 + random.normal(),
    pdu_kw: 8 + 0.5 * random.normal(),
    gpu_power_kw,
    tokens_ps: 8_500 + 400 * random.normal(),
    latency_p95_ms: 185 + 8 * random.normal(),
    queue_depth: Math.max(1, Math.round(37 + 5 * random.normal())),
    fan_rpm_pct: 65 + 2 * random.normal(),
    pump_rpm_pct: 57 + 2 * random.normal(),
  };
}

/** So many of them as feature rows, row-major. */
function noisyRows(count: number, random: Random): Float64Array {
  const rows = Array.from({ length: count }, () => {
    const r = noisyReading(random);
    const delta_t = r.outlet_c - r.inlet_c;
    return [
      ...[r.inlet_c, r.outlet_c, delta_t, r.pdu_kw, r.gpu_power_kw],
      ...[r.tokens_ps, r.latency_p95_ms, r.queue_depth, r.fan_rpm_pct, r.pump_rpm_pct],
    ];
  });
  return Float64Array.from(rows.flat());
}

/** A model of racks that scatter so, whose tau_fast about 5 % of their readings exceed. */
export function noisyModel(options: { seed: number; created_ms: number; id: string }): ModelFile {
  const { seed, created_ms, id } = options;
  const model = trainModel(noisyRows(2_000, seededRandom(seed)), {
    ...{ clusters: 4, seed, limits: LIMITS, data: "noisy racks", created_ms },
  });
  return sealedAnew({ ...model, id });
}

/** The same model with a tau_fast that `share` of the same racks' readings exceed. */
export function alarmingModel(model: ModelFile, share: number, id: string): ModelFile {
  const d = scoreBatch(model, noisyRows(5_000, seededRandom("alarming"))).d.sort();
  return sealedAnew({ ...model, id, tau_fast: d[Math.floor((1 - share) * d.length)]! });
}

function sealedAnew({ sha256: _, ...content }: ModelFile): ModelFile {
  return sealModel(content);
}

/** Readings of a rack that scatters so; the energy is that of `interval_s`. */
export function noisySensors(clock: Clock, seed: string, interval_s: number): SensorDriver {
  const random = seededRandom(seed);
  return {
    name: "noisy",
    open: async () => {},
    async read() {
      const { gpu_power_kw, ...values } = noisyReading(random);
      return { at_ms: clock.now(), values: { ...values, gpu_energy_j: gpu_power_kw * 1000 * interval_s } };
    },
    close: async () => {},
  };
}

/** No device is driven. */
export const NO_ACTUATORS: ActuatorDriver = {
  name: "none",
  targets: [],
  read: async () => null,
  write: async () => {},
  failSafe: async () => {},
  close: async () => {},
};
