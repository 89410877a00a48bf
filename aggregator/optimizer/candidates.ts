import type { RackTarget, Target } from "../../shared/contracts/action.ts";
import type { Actuators } from "../../shared/contracts/config.ts";
import {
  type FullSample,
  type Prediction,
  withBatchWindow,
  withFan,
  withPump,
  withSupply,
  withTraffic,
} from "./physics.ts";
import type { ReadyRack } from "./plan.ts";

/** A power cap saves energy only by doing less work: it is the guardrail's last measure, not the optimizer's. */
type Tunable = Exclude<RackTarget, "power_cap_kw">;

/** A change that might save energy, with the samples as they are and as they would be. */
export interface Candidate {
  rack_id: string | null;
  target: Target;
  from: number | null;
  to: number;
  saving_kw: number;
  effects: { before: FullSample; after: FullSample }[];
  reason: string;
}

/** The ranges of design §4, in steps. */
const SLOWER_PCT = [3, 4, 5];
const BATCH_MS = [20, 30, 40];
const SHIFT_SHARE = [0.1, 0.15, 0.2, 0.25];
const SUPPLY_C = [0.5, 0.75, 1];

/** Changes that concern one rack alone. */
export function rackCandidates(rack: ReadyRack, actuators: Actuators): Candidate[] {
  const { sample, setpoints } = rack;
  const change = (target: Tunable, to: number, reason: string, predict: () => Prediction): Candidate[] => {
    if (!allowed(actuators, target, current(rack, target), to)) return [];
    const { saving_kw, sample: after } = predict();
    const effects = [{ before: sample, after }];
    return [{ rack_id: rack.rack_id, target, from: setpoints[target], to, saving_kw, effects, reason }];
  };
  return [
    ...SLOWER_PCT.flatMap((by) => {
      const to = tenth(sample.fan_rpm_pct - by);
      return change("fan_rpm_pct", to, `fan −${by} %: power falls with the cube of its speed`, () =>
        withFan(sample, to),
      );
    }),
    ...SLOWER_PCT.flatMap((by) => {
      const to = tenth(sample.pump_rpm_pct - by);
      return change("pump_rpm_pct", to, `pump −${by} %: power falls with the cube of its speed`, () =>
        withPump(sample, to),
      );
    }),
    ...BATCH_MS.flatMap((by) => {
      const to = (setpoints.batch_window_ms ?? 0) + by;
      return change("batch_window_ms", to, `batching window +${by} ms: fewer, fuller batches`, () =>
        withBatchWindow(sample, by),
      );
    }),
  ];
}

/** Less traffic to this rack, spread evenly over the others, where they serve a token for less energy. */
export function shiftCandidates(
  rack: ReadyRack,
  all: readonly ReadyRack[],
  actuators: Actuators,
): Candidate[] {
  const others = all.filter((other) => other !== rack && other.sample.tokens_ps > 0);
  if (others.length === 0 || rack.sample.tokens_ps <= 0) return [];
  const weight = current(rack, "routing_weight_pct");
  return SHIFT_SHARE.flatMap((share) => {
    const to = tenth(weight * (1 - share));
    if (!allowed(actuators, "routing_weight_pct", weight, to)) return [];
    const moved_ps = (rack.sample.tokens_ps * share) / others.length;
    const donor = withTraffic(rack.sample, 1 - share);
    const takers = others.map((other) => ({
      before: other.sample,
      ...withTraffic(other.sample, 1 + moved_ps / other.sample.tokens_ps),
    }));
    const saving_kw = takers.reduce((sum, taker) => sum + taker.saving_kw, donor.saving_kw);
    const effects = [
      { before: rack.sample, after: donor.sample },
      ...takers.map(({ before, sample: after }) => ({ before, after })),
    ];
    const reason = `${Math.round(share * 100)} % of the traffic to racks that need less energy per token`;
    const from = rack.setpoints.routing_weight_pct;
    return [
      { rack_id: rack.rack_id, target: "routing_weight_pct" as const, from, to, saving_kw, effects, reason },
    ];
  });
}

/**
 * Warmer supply air for the whole site. The setpoint itself is not measured; the coolest inlet is the closest
 * reading of it. No actuator of the site is connected, so this can only be advised.
 */
export function supplyCandidates(racks: readonly ReadyRack[]): Candidate[] {
  const supply_c = tenth(Math.min(...racks.map((rack) => rack.sample.inlet_c)));
  return SUPPLY_C.map((by) => {
    const predictions = racks.map((rack) => ({ before: rack.sample, ...withSupply(rack.sample, by) }));
    return {
      rack_id: null,
      target: "supply_c" as const,
      from: supply_c,
      to: Math.round((supply_c + by) * 100) / 100,
      saving_kw: predictions.reduce((sum, p) => sum + p.saving_kw, 0),
      effects: predictions.map(({ before, sample: after }) => ({ before, after })),
      reason: `supply air +${by} °C: the cooling plant works more efficiently`,
    };
  });
}

/** Where the device stands: as measured, or as last set, or at rest. */
function current(rack: ReadyRack, target: Tunable): number {
  switch (target) {
    case "fan_rpm_pct":
    case "pump_rpm_pct":
      return rack.sample[target];
    case "routing_weight_pct":
    case "admission_pct":
      return rack.setpoints[target] ?? 100;
    case "batch_window_ms":
      return rack.setpoints[target] ?? 0;
  }
}

function allowed(actuators: Actuators, target: Tunable, from: number, to: number): boolean {
  const { min, max, step_max } = actuators[target];
  return to >= min && to <= max && Math.abs(to - from) <= step_max;
}

const tenth = (value: number) => Math.round(value * 10) / 10;
