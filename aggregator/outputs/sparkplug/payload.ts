import { PbfReader, PbfWriter } from "pbf";

/**
 * Sparkplug B payloads (Sparkplug 3.0.0, chapter 6: field numbers of the Protocol Buffers definition, and data types).
 * Of what the definition has, only what an edge node with plain metrics needs.
 */
export interface Payload {
  timestamp_ms: number;
  /** Of every message but NDEATH. */
  seq?: number;
  metrics: readonly Metric[];
}

type MetricValue =
  | { type: "int64"; value: number }
  | { type: "double"; value: number | null }
  | { type: "boolean"; value: boolean }
  | { type: "string"; value: string | null };

export type Metric = MetricValue & {
  name: string;
  timestamp_ms: number;
  /** Told at birth. */
  unit?: string;
};

const DATA_TYPE = { int64: 4, double: 10, boolean: 11, string: 12 } as const;

export function encodePayload(payload: Payload): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, payload.timestamp_ms);
  for (const metric of payload.metrics) pbf.writeMessage(2, writeMetric, metric);
  if (payload.seq !== undefined) pbf.writeVarintField(3, payload.seq);
  return pbf.finish();
}

function writeMetric(metric: Metric, pbf: PbfWriter): void {
  pbf.writeStringField(1, metric.name);
  pbf.writeVarintField(3, metric.timestamp_ms);
  pbf.writeVarintField(4, DATA_TYPE[metric.type]);
  if (metric.unit !== undefined) pbf.writeMessage(9, writeUnit, metric.unit);
  if (metric.value === null) pbf.writeBooleanField(7, true);
  else if (metric.type === "int64") pbf.writeVarintField(11, metric.value);
  else if (metric.type === "double") pbf.writeDoubleField(13, metric.value);
  else if (metric.type === "boolean") pbf.writeBooleanField(14, metric.value);
  else pbf.writeStringField(15, metric.value);
}

/** A property set with one property, under the name that applications look for units by. */
function writeUnit(unit: string, pbf: PbfWriter): void {
  pbf.writeStringField(1, "engUnit");
  pbf.writeMessage(2, writeString, unit);
}

function writeString(text: string, pbf: PbfWriter): void {
  pbf.writeVarintField(1, DATA_TYPE.string);
  pbf.writeStringField(8, text);
}

interface Commanded {
  name: string;
  on: boolean;
}

/** The metrics of a command that are true: all that a node can be asked for here. Nonsense reads as none. */
export function commandedMetrics(bytes: Uint8Array): string[] {
  try {
    const metrics: Commanded[] = [];
    new PbfReader(bytes).readFields((tag, _, pbf) => {
      if (tag !== 2) return;
      metrics.push(
        pbf.readMessage<Commanded>(
          (field, metric, inner) => {
            if (field === 1) metric.name = inner.readString();
            if (field === 14) metric.on = inner.readBoolean();
          },
          { name: "", on: false },
        ),
      );
    }, null);
    return metrics.filter(({ on }) => on).map(({ name }) => name);
  } catch {
    // Whatever was sent is no payload; who sent it cannot be told.
    return [];
  }
}
