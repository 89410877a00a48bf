type Labels = Readonly<Record<string, string>>;

/** Text in Prometheus' exposition format 0.0.4. */
export interface Exposition {
  /** A family without a sample (all values null) is left out, as exporters do. */
  family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): void;
  histogram(
    name: string,
    help: string,
    labels: Labels,
    buckets: { bounds: readonly number[]; counts: readonly number[]; sum: number },
  ): void;
  text(): string;
}

interface Sample {
  labels: Labels;
  value: number | null;
}

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function exposition(): Exposition {
  const lines: string[] = [];
  const head = (name: string, type: string, help: string) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  };
  const line = (name: string, labels: Labels, value: number) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    lines.push(`${name}{${pairs.join(",")}} ${value}`);
  };
  return {
    family(name, type, help, samples) {
      const known = samples.filter((sample) => sample.value !== null);
      if (known.length === 0) return;
      head(name, type, help);
      for (const { labels, value } of known) line(name, labels, value!);
    },
    histogram(name, help, labels, { bounds, counts, sum }) {
      head(name, "histogram", help);
      bounds.forEach((bound, k) => {
        const le = Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
        line(`${name}_bucket`, { ...labels, le }, counts[k]!);
      });
      const total = counts.at(-1)!;
      line(`${name}_bucket`, { ...labels, le: "+Inf" }, total);
      line(`${name}_sum`, labels, sum);
      line(`${name}_count`, labels, total);
    },
    text: () => `${lines.join("\n")}\n`,
  };
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
