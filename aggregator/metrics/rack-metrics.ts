import type { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { gpuPowerKw } from "../../shared/contracts/telemetry.ts";
import type { Labels, MetricsPage } from "../../shared/metrics.ts";
import type { Clock } from "../../shared/time.ts";
import { agentOnline, dataAgeMs, type Fleet, isFresh, type Rack } from "../fleet.ts";

import { divided, times } from "./base-units.ts";

const RACK = ["rack", "row"] as const;

/** Every quantity in its base unit, as Prometheus wants it. */
const MEASURED: readonly [name: string, help: string, of: (sample: TelemetrySample) => number | null][] = [
  ["inlet_celsius", "Inlet air temperature.", (s) => s.inlet_c],
  ["outlet_celsius", "Outlet air temperature.", (s) => s.outlet_c],
  ["power_watts", "Electrical power of the rack.", (s) => times(s.pdu_kw, 1000)],
  ["gpu_power_watts", "Mean GPU power over the last sample.", (s) => times(gpuPowerKw(s), 1000)],
  ["tokens_per_second", "Tokens served per second.", (s) => s.tokens_ps],
  ["latency_p95_seconds", "95th percentile of request latency.", (s) => divided(s.latency_p95_ms, 1000)],
  ["queue_depth", "Requests that wait.", (s) => s.queue_depth],
  ["fan_speed_ratio", "Fan speed as a share of full speed.", (s) => divided(s.fan_rpm_pct, 100)],
  ["pump_speed_ratio", "Pump speed as a share of full speed.", (s) => divided(s.pump_rpm_pct, 100)],
];

/** Telemetry, deviation and MMS state of every rack. A rack whose telemetry is not fresh shows none. */
export function addRackMetrics(page: MetricsPage, { fleet, clock }: { fleet: Fleet; clock: Clock }): void {
  const labels_of = new Map<Rack, Labels>(
    fleet.racks.map((rack) => [rack, { rack: rack.rack_id, row: rack.row }]),
  );
  const add = (name: string, help: string, of: (rack: Rack, now_ms: number) => number | null) =>
    page.gauge(
      `skadi_rack_${name}`,
      help,
      function* () {
        const now_ms = clock.now();
        for (const [rack, labels] of labels_of) yield [labels, of(rack, now_ms)] as const;
      },
      RACK,
    );
  const fresh = (of: (rack: Rack) => number | null) => (rack: Rack, now_ms: number) =>
    isFresh(rack, now_ms) ? of(rack) : null;

  for (const [name, help, of] of MEASURED) {
    add(
      name,
      help,
      fresh(({ sample }) => sample && of(sample)),
    );
  }
  add(
    "deviation",
    "Distance D to the nearest nominal cluster, in scaled units.",
    fresh((rack) => rack.score?.d ?? null),
  );
  add(
    "deviation_smoothed",
    "D as MMS smooths it.",
    fresh((rack) => rack.mms?.ema ?? null),
  );
  add(
    "sensor_alarms",
    "Sensors of the rack that want a technician.",
    fresh((rack) => (rack.score ? (rack.score.sensors?.length ?? 0) : null)),
  );
  add("mms_persistent", "1 while MMS holds the rack's deviation for persistent.", (rack) =>
    rack.mms ? Number(rack.mms.state === "persistent") : null,
  );
  add("agent_up", "1 while the rack's agent says that it is online.", (rack) => Number(agentOnline(rack)));
  add("telemetry_age_seconds", "Age of the rack's newest telemetry.", (rack, now_ms) =>
    divided(dataAgeMs(rack, now_ms), 1000),
  );
}
