import { RACK_TARGETS, type RackTarget } from "../../shared/contracts/action.ts";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import type { RackDetail } from "../../shared/contracts/rack-view.ts";
import type { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { isoTime } from "../../shared/time.ts";
import type { Setpoints } from "../actions/setpoints.ts";
import type { ModeState } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import type { Rack } from "../fleet.ts";
import type { Maintenance } from "../incidents/maintenance.ts";
import { rackSummary } from "../overview.ts";

/** Standard deviations to either side that count as the model's band. */
const BAND_STD = 2;

interface DetailParts {
  config: Pick<AggregatorConfig, "limits" | "actuators">;
  mode: ModeState;
  model: ModelFile | null;
  setpoints: Setpoints;
  quarantine: Quarantine;
  maintenance: Maintenance;
}

/** Everything about one rack now. */
export function rackDetail(rack: Rack, parts: DetailParts, now_ms: number): RackDetail {
  const { config, mode, model, maintenance } = parts;
  const { sample, score, status } = rack;
  return {
    rack: rackSummary(rack, mode, now_ms),
    limits: config.limits,
    agent:
      status?.state === "online"
        ? { version: status.agent_version, driver: status.driver, mode: status.mode, since: status.ts }
        : null,
    interval_s: sample?.interval_s ?? null,
    quality: sample?.quality ?? {},
    sensors: score?.sensors ?? [],
    departure: score?.departure ?? null,
    guarded: score?.guarded === true,
    cluster: score?.cluster ?? null,
    model: model && {
      id: model.id,
      tau_fast: model.tau_fast,
      tau_persist: model.tau_persist,
      bands: modelBands(model),
    },
    actuators: RACK_TARGETS.map((target) => actuator(rack, target, parts)),
    maintenance: maintenance.covering(rack, now_ms),
  };
}

/** Where nominal operation lay in training, feature by feature. */
function modelBands({ features, scaler }: Pick<ModelFile, "features" | "scaler">) {
  const band = (i: number): [number, number] => {
    const half = BAND_STD * scaler.scale[i]!;
    return [scaler.mean[i]! - half, scaler.mean[i]! + half];
  };
  return Object.fromEntries(features.map((feature, i) => [feature, band(i)]));
}

function actuator(rack: Rack, target: RackTarget, parts: DetailParts): RackDetail["actuators"][number] {
  const { rack_id } = rack;
  const { setpoints, config, quarantine } = parts;
  const applied_ms = setpoints.appliedMs(rack_id, target);
  const { min, max } = config.actuators[target];
  const held = quarantine.list().find((device) => device.rack_id === rack_id && device.target === target);
  return {
    target,
    setpoint: setpoints.value(rack_id, target),
    measured: measured(target, rack.sample),
    changed_at: Number.isFinite(applied_ms) ? isoTime(applied_ms) : null,
    min,
    max,
    quarantined: held ? { since: held.since, reason: held.reason } : null,
  };
}

function measured(target: RackTarget, sample: TelemetrySample | null): number | null {
  if (target === "fan_rpm_pct" || target === "pump_rpm_pct") return sample?.[target] ?? null;
  return target === "power_cap_kw" ? (sample?.pdu_kw ?? null) : null;
}
