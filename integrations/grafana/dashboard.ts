import { ReduceDataOptionsBuilder } from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** Chosen at the top of the page, so that the dashboard fits any Grafana. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable, not ours
const PROMETHEUS = { type: "prometheus", uid: "${datasource}" };
const RACKS = 'rack=~"$rack"';
const WIDTH = 24;

type Query = readonly [expression: string, legend: string];

/** The dashboard of a site, built with Grafana's own types and builders. */
export function siteDashboard(): Dashboard {
  const dashboard = layout();
  return { ...dashboard, panels: (dashboard.panels ?? []).map((panel, i) => ({ ...panel, id: i + 1 })) };
}

function layout(): Dashboard {
  return new DashboardBuilder("Skadi")
    .uid("skadi-site")
    .description("A site that Skadi guards: what is wrong, where, and what is done about it.")
    .tags(["skadi"])
    .timezone("browser")
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"))
    .withVariable(
      new QueryVariableBuilder("rack")
        .label("Racks")
        .datasource(PROMETHEUS)
        .query("label_values(skadi_rack_agent_up, rack)")
        .multi(true)
        .includeAll(true)
        .allValue(".*"),
    )
    .withRow(new RowBuilder("The site now"))
    .withPanel(tile("Racks persistent", "none", 'skadi_racks{condition="persistent"}', [1, 3]))
    .withPanel(tile("Open incidents", "none", "sum(skadi_incidents)", [1, 5]))
    .withPanel(
      tile("Racks silent", "none", "count(skadi_rack_telemetry_age_seconds > 60) or vector(0)", [1, 3]),
    )
    .withPanel(tile("Inlets within their limit", "percentunit", "skadi_site_inlet_compliance_ratio"))
    .withPanel(tile("Energy per prompt", "joule", "skadi_site_energy_per_prompt_joules"))
    .withPanel(tile("Energy saved, 24 h", "percentunit", "skadi_site_energy_saved_ratio"))
    .withPanel(tile("Closed loop", "bool_on_off", "skadi_site_closed_loop"))
    .withPanel(tile("Kill switch", "bool_on_off", "skadi_site_kill_switch", [1, 1]))
    .withRow(new RowBuilder("Racks"))
    .withPanel(
      chart("Hottest inlets", "celsius", [
        [`topk(10, skadi_rack_inlet_celsius{${RACKS}})`, "{{rack}}"],
        ["skadi_limit_inlet_celsius", "limit"],
      ]),
    )
    .withPanel(
      chart("Largest deviations", "none", [
        [`topk(10, skadi_rack_deviation{${RACKS}})`, "{{rack}}"],
        ["skadi_model_threshold", "tau {{level}}"],
      ]),
    )
    .withPanel(
      chart("Slowest racks, p95", "s", [
        [`topk(10, skadi_rack_latency_p95_seconds{${RACKS}})`, "{{rack}}"],
        ["skadi_limit_latency_p95_seconds", "limit"],
      ]),
    )
    .withPanel(chart("Power by row", "watt", [["sum by (row) (skadi_rack_power_watts)", "row {{row}}"]]))
    .withPanel(chart("Racks by condition", "none", [["skadi_racks", "{{condition}}"]]))
    .withPanel(
      chart("Fans and pumps", "percentunit", [
        [`avg(skadi_rack_fan_speed_ratio{${RACKS}})`, "fans"],
        [`avg(skadi_rack_pump_speed_ratio{${RACKS}})`, "pumps"],
      ]),
    )
    .withRow(new RowBuilder("What is done"))
    .withPanel(
      chart("Actions by outcome, per hour", "none", [
        ["sum by (source, outcome) (increase(skadi_actions_total[1h]))", "{{source}} {{outcome}}"],
      ]),
    )
    .withPanel(
      chart("Incidents", "none", [
        ["sum by (severity, status) (skadi_incidents)", "{{severity}} {{status}}"],
      ]),
    )
    .withRow(new RowBuilder("Skadi itself"))
    .withPanel(
      chart("Samples and scores per second", "none", [
        ["sum(rate(skadi_samples_total[1m]))", "samples"],
        ["sum by (scored_by) (rate(skadi_scores_total[1m]))", "scored by {{scored_by}}"],
        ["rate(skadi_payloads_rejected_total[1m])", "rejected"],
      ]),
    )
    .withPanel(
      chart("Slowest one in a hundred", "s", [
        [
          "histogram_quantile(0.99, sum by (le) (rate(skadi_mqtt_publish_duration_seconds_bucket[5m])))",
          "publish",
        ],
        [
          "histogram_quantile(0.99, sum by (le) (rate(skadi_mqtt_message_duration_seconds_bucket[5m])))",
          "message",
        ],
        [
          "histogram_quantile(0.99, sum by (le) (rate(skadi_http_request_duration_seconds_bucket[5m])))",
          "request",
        ],
      ]),
    )
    .withPanel(
      chart("Memory", "bytes", [
        ["process_resident_memory_bytes and on(job, instance) skadi_aggregator_info", "aggregator"],
        ["process_resident_memory_bytes and on(job, instance) skadi_agent_info", "agent {{instance}}"],
      ]),
    )
    .withRow(new RowBuilder("Agents that show their metrics"))
    .withPanel(
      new HeatmapBuilder()
        .title("Duration of guard ticks")
        .datasource(PROMETHEUS)
        .gridPos({ x: 0, y: 0, w: WIDTH / 2, h: 8 })
        .withTarget(
          query(["sum by (le) (increase(skadi_agent_tick_duration_seconds_bucket[1m]))", "{{le}}"], 0).format(
            PromQueryFormat.Heatmap,
          ),
        ),
    )
    .withPanel(
      chart("Outbox", "none", [
        ["skadi_agent_outbox_messages", "{{instance}}"],
        ["skadi_agent_outbox_unsaved_messages", "{{instance}} unsaved"],
      ]),
    )
    .withPanel(
      chart("Guardrail", "none", [
        ['count by (severity) (skadi_agent_guardrail_severity{severity!="none"} == 1)', "{{severity}}"],
        ["sum(increase(skadi_agent_guard_ticks_late_total[5m]))", "late ticks"],
        ["sum(increase(skadi_agent_sensor_errors_total[5m]))", "sensor errors"],
      ]),
    )
    .build();
}

function chart(title: string, unit: string, queries: readonly Query[]): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(title)
    .unit(unit)
    .datasource(PROMETHEUS)
    .gridPos({ x: 0, y: 0, w: WIDTH / 2, h: 8 });
  for (const [i, one] of queries.entries()) panel.withTarget(query(one, i));
  return panel;
}

/** @param alarm from which values on it is yellow, and red */
function tile(
  title: string,
  unit: string,
  expression: string,
  alarm?: readonly [number, number],
): StatBuilder {
  const steps = [
    { value: null, color: "green" },
    ...(alarm
      ? [
          { value: alarm[0], color: "yellow" },
          { value: alarm[1], color: "red" },
        ]
      : []),
  ];
  return new StatBuilder()
    .title(title)
    .unit(unit)
    .datasource(PROMETHEUS)
    .gridPos({ x: 0, y: 0, w: WIDTH / 8, h: 4 })
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .withTarget(query([expression, title], 0));
}

function query([expression, legend]: Query, i: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(PROMETHEUS)
    .refId(String.fromCharCode(65 + i))
    .expr(expression)
    .legendFormat(legend);
}
