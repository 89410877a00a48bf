import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { AggregatorConfig } from "../../../shared/contracts/config.ts";

const read = (path: string) => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), "utf8");
const text = read("integrations.md");
const metrics = new Set([...read("api/metrics.md").matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));

const SENSORS = { devices: [{ name: "rack", driver: "exec", command: ["/bin/true"] }] };

describe("the documentation of integrations", () => {
  it("shows configurations that aggregator and agent take", () => {
    const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => parse(yaml!) as object);
    const ours = blocks.filter((block) => !("scrape_configs" in block));
    expect(ours).toHaveLength(4);
    for (const block of ours) {
      const parsed =
        "metrics" in block
          ? AgentConfig.safeParse({ rack_id: "R-A-01", sensors: SENSORS, ...block })
          : AggregatorConfig.safeParse(block);
      expect(parsed.error?.issues).toBeUndefined();
    }
  });

  it("names metrics that there are", () => {
    const named = [...text.matchAll(/\bskadi_(?:rack|agent|site|mqtt|schedule)_\w+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => name !== "skadi_agent_" && !metrics.has(name))).toEqual([]);
  });
});
