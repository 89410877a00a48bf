import { describe, expect, it } from "vitest";
import { topicFits } from "../../../agent/devices/mqtt-topic.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";

describe("a topic filter", () => {
  it.each([
    ["row/c/inlet", "row/c/inlet", true],
    ["row/c/inlet", "row/c", false],
    ["row/+/inlet", "row/c/inlet", true],
    ["row/+/inlet", "row/c/d/inlet", false],
    ["row/#", "row/c/inlet", true],
    ["row/#", "row", true],
    ["row/#", "rows/c", false],
    ["#", "row/c", true],
    ["+", "row", true],
    ["+/+", "/row", true],
    ["+", "/row", false],
    ["#", "$SYS/uptime", false],
    ["+/uptime", "$SYS/uptime", false],
    ["$SYS/#", "$SYS/uptime", true],
  ])("%s against %s: %s", (filter, topic, expected) => {
    expect(topicFits(filter, topic)).toBe(expected);
  });

  const accepts = (changes: object) =>
    AgentConfig.safeParse({
      rack_id: "R-A-01",
      sensors: {
        devices: [
          {
            name: "bms",
            driver: "mqtt",
            url: "mqtt://bms",
            points: [{ field: "inlet_c", topic: "a", ...changes }],
          },
        ],
      },
    }).success;

  it.each(["a/b", "+/b/#", "#", "+", "/", "a//b"])("%s is accepted", (topic) => {
    expect(accepts({ topic })).toBe(true);
  });

  it.each(["", "a+/b", "a/#/b", "a#"])("%j is refused in the configuration", (topic) => {
    expect(accepts({ topic })).toBe(false);
  });

  it("cannot feed what came since the last read, which is lost with a message", () => {
    expect(accepts({ field: "gpu_energy_j" })).toBe(false);
    expect(accepts({ field: "gpu_energy_j", unit: "watt" })).toBe(true);
  });

  it("with wildcards cannot feed a counter, which needs one publisher's instants", () => {
    expect(accepts({ field: "pdu_kw", topic: "pdu/+", unit: "watt" })).toBe(true);
    expect(accepts({ field: "pdu_kw", topic: "pdu/+", unit: "watt_hour" })).toBe(false);
    expect(accepts({ field: "pdu_kw", topic: "pdu/1", unit: "watt_hour" })).toBe(true);
  });
});
