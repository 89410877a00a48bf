import { describe, expect, it } from "vitest";
import {
  commandedMetrics,
  encodePayload,
  type Metric,
} from "../../../../aggregator/outputs/sparkplug/payload.ts";
import { hasProgram } from "../../../support/debian-packages.ts";
import { decodeSparkplug, rebirthCommand } from "../../../support/sparkplug.ts";

const AT_MS = 1_770_000_000_123;
const metric = (name: string, value: Pick<Metric, "type" | "value">, unit?: string) =>
  ({ name, timestamp_ms: AT_MS, ...value, ...(unit && { unit }) }) as Metric;

describe.runIf(hasProgram("protoc"))("a Sparkplug payload, as protoc reads it", () => {
  it("has its time in milliseconds beyond 32 bits, its number, and metrics of every type", () => {
    const decoded = decodeSparkplug(
      encodePayload({
        timestamp_ms: AT_MS,
        seq: 255,
        metrics: [
          metric("bdSeq", { type: "int64", value: 7 }),
          metric("Telemetry/inlet_c", { type: "double", value: 22.5 }, "°C"),
          metric("MMS/persistent", { type: "boolean", value: false }),
          metric("Agent/model_id", { type: "string", value: "ims_1" }),
          metric("Telemetry/outlet_c", { type: "double", value: null }),
        ],
      }),
    );
    expect(decoded).toMatchObject({ timestamp_ms: AT_MS, seq: 255 });
    expect(decoded.metrics).toEqual([
      { name: "bdSeq", datatype: 4, value: "7" },
      { name: "Telemetry/inlet_c", datatype: 10, value: "22.5", unit: "\\302\\260C" },
      { name: "MMS/persistent", datatype: 11, value: "false" },
      { name: "Agent/model_id", datatype: 12, value: "ims_1" },
      { name: "Telemetry/outlet_c", datatype: 10, value: null },
    ]);
  });

  it("of a death has no number", () => {
    const bytes = encodePayload({ timestamp_ms: AT_MS, metrics: [] });
    expect(decodeSparkplug(bytes).seq).toBeNull();
  });

  it("that a host sends is understood where it asks for a rebirth", () => {
    expect(commandedMetrics(rebirthCommand())).toEqual(["Node Control/Rebirth"]);
  });
});

describe("a command that is no payload", () => {
  it.each([
    ["empty", ""],
    ["text", "rebirth!"],
    ["cut off", "\x12\x7f\x0a"],
  ])("(%s) asks for nothing", (_, text) => {
    expect(commandedMetrics(Buffer.from(text, "latin1"))).toEqual([]);
  });
});
