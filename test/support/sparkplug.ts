import { execFileSync } from "node:child_process";

const FOLDER = new URL(".", import.meta.url).pathname;
const protoc = (mode: string, input: Uint8Array | string) =>
  execFileSync("protoc", [`--${mode}=sparkplug.Payload`, `--proto_path=${FOLDER}`, "sparkplug_b.proto"], {
    input,
  });

interface DecodedMetric {
  name: string;
  datatype: number;
  value: string | null;
  unit?: string;
}

/** A payload as Google's own protoc reads it. */
export function decodeSparkplug(bytes: Uint8Array) {
  const text = protoc("decode", bytes).toString();
  const metrics: DecodedMetric[] = [...text.matchAll(/^metrics \{\n(.*?)^\}/gms)].map(([, body = ""]) => {
    const field = (name: string) => new RegExp(`^  ${name}: (.*)$`, "m").exec(body)?.[1];
    const value = field("(?:int|long|float|double|boolean|string)_value")?.replaceAll('"', "");
    const unit = /string_value: "(.*)"\n {4}\}/.exec(body)?.[1];
    return {
      name: field("name")?.replaceAll('"', "") ?? "",
      datatype: Number(field("datatype")),
      value: field("is_null") === "true" ? null : (value ?? ""),
      ...(unit === undefined ? {} : { unit }),
    };
  });
  const seq = /^seq: (\d+)$/m.exec(text)?.[1];
  const timestamp_ms = Number(/^timestamp: (\d+)$/m.exec(text)?.[1]);
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value;
  return { metrics, seq: seq === undefined ? null : Number(seq), timestamp_ms, value };
}

/** A command as a host application would send it. */
export function rebirthCommand(): Buffer {
  return protoc("encode", 'metrics { name: "Node Control/Rebirth" datatype: 11 boolean_value: true }');
}
