import type { JSX } from "preact";
import type { RackDetail, RackSeries } from "../../../../../shared/contracts/rack-view.ts";
import { number, percent, temperature } from "../../format/numbers.ts";
import { Chart } from "../../ui/chart.tsx";

interface ChartsProps {
  series: RackSeries;
  detail: RackDetail;
  /** When something was done on the rack. */
  marks: readonly number[];
}

const kilowatts = (value: number) => `${number(value, 1)}\u202fkW`;
const milliseconds = (value: number) => `${number(value)}\u202fms`;
const speed = (value: number) => percent(value);

/** The rack's course: what matters most first. */
export function Charts({ series, detail, marks }: ChartsProps): JSX.Element {
  const { ts_ms, values } = series;
  const { limits, model, rack } = detail;
  const band = (feature: string) => model?.bands[feature] ?? null;
  const tau_fast = rack.tau_fast ?? model?.tau_fast ?? null;
  const tau_persist = rack.tau_persist ?? model?.tau_persist ?? null;
  const common = { ts_ms, marks };
  return (
    <div class="charts">
      <Chart
        {...common}
        title="Deviation D"
        lines={[{ label: "D", values: values.d }]}
        limits={[
          ...(tau_fast === null ? [] : [{ label: "fast", value: tau_fast, tone: "warn" as const }]),
          ...(tau_persist === null ? [] : [{ label: "persist", value: tau_persist, tone: "bad" as const }]),
        ]}
        floor={0}
        band={tau_fast === null ? null : [0, tau_fast]}
        format={(value) => number(value, 2)}
      />
      <Chart
        {...common}
        title="Inlet"
        lines={[{ label: "inlet", values: values.inlet_c }]}
        limits={[{ label: "limit", value: limits.inlet_c, tone: "bad" }]}
        band={band("inlet_c")}
        format={(value) => temperature(value)}
      />
      <Chart
        {...common}
        title="Outlet"
        lines={[{ label: "outlet", values: values.outlet_c }]}
        band={band("outlet_c")}
        format={(value) => temperature(value)}
      />
      <Chart
        {...common}
        title="Power"
        lines={[{ label: "power", values: values.pdu_kw }]}
        limits={[{ label: "cap", value: limits.rack_kw, tone: "bad" }]}
        band={band("pdu_kw")}
        format={kilowatts}
      />
      <Chart
        {...common}
        title="Latency p95"
        lines={[{ label: "latency", values: values.latency_p95_ms }]}
        limits={[{ label: "limit", value: limits.latency_p95_ms, tone: "bad" }]}
        band={band("latency_p95_ms")}
        format={milliseconds}
      />
      <Chart
        {...common}
        title="Fan"
        lines={[{ label: "fan", values: values.fan_rpm_pct }]}
        band={band("fan_rpm_pct")}
        format={speed}
      />
      <Chart
        {...common}
        title="Pump"
        lines={[{ label: "pump", values: values.pump_rpm_pct }]}
        band={band("pump_rpm_pct")}
        format={speed}
      />
      <Chart
        {...common}
        title="Tokens per second"
        lines={[{ label: "tokens", values: values.tokens_ps }]}
        band={band("tokens_ps")}
        format={(value) => number(value)}
      />
    </div>
  );
}
