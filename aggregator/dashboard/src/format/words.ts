import type { Action } from "../../../../shared/contracts/action.ts";
import type { Cause, Incident, SubCause } from "../../../../shared/contracts/incident.ts";
import { modeEventText } from "../../../control/mode-event-text.ts";
import { number, percent, temperature } from "./numbers.ts";

/** What a cause means to whoever has to act on it. */
export const CAUSES: Record<Cause, { label: string; meaning: string; check: string }> = {
  thermal_event: {
    label: "Too hot",
    meaning: "Air or coolant does not carry the heat away as it did.",
    check: "Look at the row's air handler and floor tiles, then at the supply temperature.",
  },
  high_load: {
    label: "High load",
    meaning: "More work than the racks' usual operation, and heat with it.",
    check: "See whether traffic can move to other rows; watch latency.",
  },
  under_utilized: {
    label: "Hardly used",
    meaning: "Power is drawn with little work to show for it.",
    check: "Not urgent: consolidate work or let the optimizer do so.",
  },
  overcooled: {
    label: "Overcooled",
    meaning: "More cooling than the heat asks for; it costs energy, and endangers nothing.",
    check: "Not urgent: fans, pumps or the supply temperature may be eased.",
  },
  fan_fault: {
    label: "Fan fault",
    meaning: "The fan does not move the air that its speed promises.",
    check: "Have the rack's fan tray looked at; keep load away until then.",
  },
  pump_fault: {
    label: "Pump fault",
    meaning: "The pump does not move the coolant that its speed promises.",
    check: "Have the rack's pump and its loop looked at; keep load away until then.",
  },
  sensor_fault: {
    label: "Sensor fault",
    meaning: "A reading does not fit the others: the rack itself is probably well.",
    check: "Have the named sensor replaced or recalibrated.",
  },
};

const SUB_CAUSES: Record<SubCause, string> = {
  crah_failure: "the row's air handler",
  tile_blockage: "a blocked floor tile",
  stuck: "stuck",
  drift: "drifting",
  dropout: "dropping out",
  spike: "spikes",
};

export function causeText(verdict: NonNullable<Incident["verdict"]>): string {
  const { cause, sub_cause } = verdict;
  return `${CAUSES[cause].label}${sub_cause ? `: ${SUB_CAUSES[sub_cause]}` : ""}`;
}

export const FEATURE_LABELS: Record<string, string> = {
  inlet_c: "Inlet",
  outlet_c: "Outlet",
  delta_t: "Outlet − inlet",
  pdu_kw: "Power",
  gpu_power_kw: "GPU power",
  gpu_energy_j: "GPU energy",
  tokens_ps: "Tokens/s",
  latency_p95_ms: "Latency p95",
  queue_depth: "Queue",
  fan_rpm_pct: "Fan",
  pump_rpm_pct: "Pump",
  load_vs_site: "Load against the site",
  row_inlet_c: "The row's inlets",
  neighbour_inlet_c: "The neighbours' inlets",
};

export const TARGETS: Record<Action["target"], string> = {
  fan_rpm_pct: "Fan",
  pump_rpm_pct: "Pump",
  routing_weight_pct: "Traffic share",
  admission_pct: "Low-priority work",
  batch_window_ms: "Batch window",
  power_cap_kw: "Power cap",
  supply_c: "Supply air",
};

export const KINDS: Record<Action["kind"], string> = {
  pre_cool: "pre-cooling",
  admission: "admission control",
  routing: "thermal-aware routing",
  power_cap: "power cap",
  release: "hand-back",
  optimize: "saving",
  manual: "by hand",
  rollback: "roll-back",
};

export const SOURCES: Record<Action["source"], string> = {
  guardrail: "Guardrail",
  optimizer: "Optimizer",
  operator: "Operator",
};

/** A setpoint as people read it; null is the device's own control. */
export function setpointText(target: Action["target"], value: number | null): string {
  if (value === null) return "auto";
  if (target === "supply_c") return temperature(value);
  if (target === "power_cap_kw") return `${number(value, 1)}\u202fkW`;
  if (target === "batch_window_ms") return `${number(value)}\u202fms`;
  return percent(value);
}

/** `Fan 60 % → 75 %` */
export function changeText({ target, from, to }: Pick<Action, "target" | "from" | "to">): string {
  return `${TARGETS[target]} ${setpointText(target, from)} → ${setpointText(target, to)}`;
}

const EVENT_NAMES: Record<string, string> = {
  status: "Agent",
  model: "Model",
  scenario: "Scenario",
  seq_restart: "Sequence restarted",
  clock: "Clock",
  rollback: "Roll-back",
  quarantine: "Quarantine",
  command_refused: "Command refused",
  incident: "Incident",
  mms: "MMS",
  rejection: "Rejected",
};

const INCIDENT_CHANGES: Record<string, string> = {
  opened: "opened",
  rack_joined: "another rack joined",
  rack_recovered: "a rack is well again",
  widened: "widened",
  merged: "became part of a wider one",
  cause: "cause named",
  severity: "now",
  maintenance_over: "maintenance is over",
  acknowledged: "acknowledged",
  annotated: "a note was added",
  confirmed: "confirmed",
  rejected: "called a false alarm",
  closed: "closed",
  reopened: "opened again",
};

/** One line for an event that is no action. */
export function eventText({
  type,
  rack_id,
  data,
}: {
  type: string;
  rack_id: string | null;
  data: Record<string, unknown>;
}): string {
  const where = rack_id ? ` ${rack_id}` : "";
  if (type === "incident") {
    const change = String(data.change ?? "");
    return `${String(data.title ?? "Incident")}: ${INCIDENT_CHANGES[change] ?? change} ${change === "severity" ? String(data.severity) : ""}`;
  }
  if (type === "mode") {
    const text = modeEventText({ rack_id, data });
    return `${text[0]!.toUpperCase()}${text.slice(1)}`;
  }
  const details = Object.entries(data)
    .filter(([, value]) => value !== null && typeof value !== "object")
    .map(
      ([name, value]) =>
        `${name.replaceAll("_", " ")} ${typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 2) : String(value)}`,
    )
    .slice(0, 4);
  return `${EVENT_NAMES[type] ?? type}${where}${details.length > 0 ? `: ${details.join(", ")}` : ""}`;
}
