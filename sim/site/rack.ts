import type { ActuatorDriver } from "../../agent/actuators/driver.ts";
import type { SensorDriver, SensorRead } from "../../agent/sensors/driver.ts";
import { RACK_TARGETS } from "../../shared/contracts/action.ts";
import type { Plant } from "../plant/plant.ts";

/** Reads one rack of the plant as an agent's driver does: the energy counter becomes energy since the last read. */
export function rackReader(plant: Plant, rack_id: string): () => SensorRead {
  let counter_j: number | null = null;
  return () => {
    const read = plant.read(rack_id);
    const total_j = read.gpu_energy_j_total;
    const gpu_energy_j = total_j === null || counter_j === null ? null : total_j - counter_j;
    counter_j = total_j ?? counter_j;
    return {
      at_ms: plant.now_ms,
      values: {
        inlet_c: read.inlet_c,
        outlet_c: read.outlet_c,
        pdu_kw: read.pdu_kw,
        gpu_energy_j,
        tokens_ps: read.tokens_ps,
        latency_p95_ms: read.latency_p95_ms,
        queue_depth: read.queue_depth,
        fan_rpm_pct: read.fan_rpm_pct,
        pump_rpm_pct: read.pump_rpm_pct,
      },
    };
  };
}

/** The simulator as one more sensor driver behind the agent's public interface. */
export function simulatedSensors(plant: Plant, rack_id: string): SensorDriver {
  const read = rackReader(plant, rack_id);
  return { name: "simulator", open: async () => {}, read: async () => read(), close: async () => {} };
}

/** The simulator as one more actuator driver. */
export function simulatedActuators(plant: Plant, rack_id: string): ActuatorDriver {
  return {
    name: "simulator",
    targets: RACK_TARGETS,
    read: async (target) => plant.target(rack_id, target),
    async write(target, value, { permit } = {}) {
      permit?.(target);
      plant.setTarget(rack_id, target, value);
    },
    async failSafe({ permit, onDriven } = {}) {
      // An overridden device keeps at least its speed; what is shed or diverted stays so: both are the cool side.
      const { fan_rpm_pct, pump_rpm_pct } = plant.truth(rack_id);
      const speeds = { fan_rpm_pct, pump_rpm_pct };
      for (const target of ["fan_rpm_pct", "pump_rpm_pct"] as const) {
        const override = plant.target(rack_id, target);
        if (override === null || override >= speeds[target]) continue;
        permit?.(target);
        plant.setTarget(rack_id, target, speeds[target]);
        onDriven?.(target, speeds[target]);
      }
    },
    close: async () => {},
  };
}
