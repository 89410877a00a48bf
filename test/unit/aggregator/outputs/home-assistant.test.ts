import { describe, expect, it } from "vitest";
import { rackDiscovery, siteDiscovery } from "../../../../aggregator/outputs/home-assistant-entities.ts";
import { siteKpis } from "../../../../aggregator/overview.ts";
import { parseUpTopic } from "../../../../shared/contracts/topics.ts";
import { NOMINAL_SAMPLE } from "../../../support/readings.ts";

const context = { site: "dc1", prefix: "homeassistant", version: "1.2.3", interval_s: 30 };
const rack = rackDiscovery(context, "R-C-07");
const site = siteDiscovery(context);

describe("Home Assistant's discovery", () => {
  it("has topics of its form: <prefix>/<component>/<node>/<object>/config", () => {
    for (const { topic } of [...rack, ...site]) {
      expect(topic).toMatch(/^homeassistant\/(sensor|binary_sensor)\/[\w-]+\/[\w-]+\/config$/);
    }
  });

  it("names every entity once, and ties it to its device, the racks to their site", () => {
    const configs = [...rack, ...site].map(({ config }) => config);
    expect(new Set(configs.map(({ unique_id }) => unique_id)).size).toBe(configs.length);
    expect(rack[0]!.config.device).toMatchObject({
      identifiers: ["skadi_dc1_R-C-07"],
      via_device: "skadi_dc1",
    });
    expect(site[0]!.config.device).toMatchObject({ identifiers: ["skadi_dc1"] });
  });

  it("reads the agent's own topics, fields that are there, and its status for availability", () => {
    for (const { config } of rack) {
      const state_topic = String(config.state_topic);
      expect(parseUpTopic(String(config.availability_topic))?.channel).toBe("status");
      if (!state_topic.endsWith("/telemetry")) continue;
      const field = /^\{\{ value_json\.(\w+) \}\}$/.exec(String(config.value_template))?.[1] ?? "";
      expect(NOMINAL_SAMPLE).toHaveProperty(field);
    }
  });

  it("reads figures that the site's state has", () => {
    const kpis = siteKpis({ racks: [], get: () => undefined }, { inlet_c: 28 }, KPI, 0);
    const state = { ...kpis, ...kpis.racks, incidents: 0 };
    for (const { config } of site) {
      expect(state).toHaveProperty(/value_json\.(\w+)/.exec(String(config.value_template))![1]!);
    }
  });

  it("offers nothing to switch", () => {
    for (const { config } of [...rack, ...site]) expect(config).not.toHaveProperty("command_topic");
  });
});

const KPI = { tokens_per_prompt: 2_240, baseline_wh_per_prompt: 0.6 };
