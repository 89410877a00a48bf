import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { MetricsPage } from "../../shared/metrics.ts";
import type { Clock } from "../../shared/time.ts";
import { packageVersion } from "../../shared/version.ts";
import type { ModeControl } from "../control/mode.ts";
import type { Quarantine } from "../control/quarantine.ts";
import type { Fleet } from "../fleet.ts";
import type { Incidents } from "../incidents/incidents.ts";
import type { Rollouts } from "../models/rollout/rollouts.ts";
import { type Kpis, siteKpis } from "../overview.ts";
import type { EnergyLedger } from "../savings/ledger.ts";

import { divided, times } from "./base-units.ts";

export interface SiteMetricsContext {
  config: AggregatorConfig;
  clock: Clock;
  fleet: Fleet;
  mode: ModeControl;
  quarantine: Quarantine;
  incidents: Incidents;
  rollouts: Rollouts;
  savings: EnergyLedger;
}

const CONDITIONS = ["nominal", "transient", "persistent", "unknown"] as const;
const ACTIVE = ["open", "acknowledged"] as const;
const SEVERITIES = ["info", "warning", "critical"] as const;
const JOULES_PER_WH = 3600;

/** The site's figures, limits, mode, model and incidents. */
export function addSiteMetrics(page: MetricsPage, context: SiteMetricsContext): void {
  const { config, clock, fleet, mode, rollouts, incidents, savings } = context;
  const version = packageVersion();
  page.gauge(
    "skadi_aggregator_info",
    "Always 1; which aggregator this is.",
    () => [[{ site: config.site, version }, 1]],
    ["site", "version"],
  );
  addKpis(page, () => siteKpis(fleet, config.limits, config.kpi, clock.now()));
  page.gauge(
    "skadi_site_energy_saved_ratio",
    "Energy saved in the last 24 hours, as a share of what the unoptimised plant would have used.",
    () => divided(savings.lastDay().estimate?.saved_pct, 100),
  );
  page.gauge("skadi_limit_inlet_celsius", "Operating limit of inlets.", () => config.limits.inlet_c);
  page.gauge("skadi_limit_latency_p95_seconds", "Operating limit of latency.", () =>
    divided(config.limits.latency_p95_ms, 1000),
  );
  page.gauge("skadi_limit_rack_power_watts", "Operating limit of one rack.", () =>
    times(config.limits.rack_kw, 1000),
  );
  page.gauge("skadi_site_closed_loop", "1 while the site's mode is closed loop, 0 while advisory.", () =>
    Number(mode.get().mode === "closed_loop"),
  );
  page.gauge("skadi_site_kill_switch", "1 while the kill switch is on.", () =>
    Number(mode.get().kill_switch),
  );
  page.gauge(
    "skadi_site_quarantined_devices",
    "Devices of which nothing is asked, because they did not do what they were asked.",
    () => context.quarantine.list().length,
  );
  page.gauge(
    "skadi_model_info",
    "Always 1; the model in force. Absent: none.",
    () => modelReadings(rollouts, (model) => [[{ model_id: model.id }, 1]]),
    ["model_id"],
  );
  page.gauge(
    "skadi_model_threshold",
    "From this D on a rack's deviation is fast, or persistent.",
    () =>
      modelReadings(rollouts, ({ tau_fast, tau_persist }) => [
        [{ level: "fast" }, tau_fast],
        [{ level: "persist" }, tau_persist],
      ]),
    ["level"],
  );
  page.gauge(
    "skadi_incidents",
    "Incidents that are not closed.",
    function* () {
      const active = incidents.active();
      for (const status of ACTIVE) {
        for (const severity of SEVERITIES) {
          const count = active.filter((i) => i.status === status && i.severity === severity).length;
          yield [{ status, severity }, count] as const;
        }
      }
    },
    ["status", "severity"],
  );
}

type Model = NonNullable<ReturnType<Rollouts["scorer"]>>["model"];
type ModelReadings = [labels: Record<string, string>, value: number][];

function modelReadings(rollouts: Rollouts, of: (model: Model) => ModelReadings): ModelReadings {
  const model = rollouts.scorer()?.model;
  return model ? of(model) : [];
}

function addKpis(page: MetricsPage, kpis: () => Kpis): void {
  page.gauge(
    "skadi_racks",
    "Racks by condition.",
    () => {
      const { racks } = kpis();
      return CONDITIONS.map((condition) => [{ condition }, racks[condition]] as const);
    },
    ["condition"],
  );
  const figures: readonly [name: string, help: string, of: (figures: Kpis) => number | null][] = [
    ["power_watts", "Power of the racks with fresh telemetry.", (k) => k.pdu_kw * 1000],
    ["tokens_per_second", "Tokens served per second.", (k) => k.tokens_ps],
    [
      "energy_per_prompt_joules",
      "Energy that one prompt takes.",
      (k) => times(k.wh_per_prompt, JOULES_PER_WH),
    ],
    ["energy_per_token_joules", "Energy that one token takes.", (k) => k.j_per_token],
    [
      "latency_p95_seconds",
      "Mean of the racks' p95, weighted by traffic.",
      (k) => divided(k.latency_p95_ms, 1000),
    ],
    ["latency_p95_max_seconds", "The largest p95 of a rack.", (k) => divided(k.latency_p95_max_ms, 1000)],
    [
      "inlet_compliance_ratio",
      "Share of the inlets below their limit.",
      (k) => divided(k.inlet_compliance_pct, 100),
    ],
  ];
  for (const [name, help, of] of figures) page.gauge(`skadi_site_${name}`, help, () => of(kpis()));
}
