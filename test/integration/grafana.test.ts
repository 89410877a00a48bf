import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { siteDashboard } from "../../integrations/grafana/dashboard.ts";
import { freshAgentPage } from "../support/agent-page.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { metricNames, startPrometheus } from "../support/prometheus.ts";
import { testSite } from "./aggregator-harness.ts";

const dashboard = siteDashboard();
const panels = dashboard.panels ?? [];
const expressions = panels.flatMap((panel) =>
  ("targets" in panel ? (panel.targets ?? []) : []).map(
    (target) => (target as unknown as { expr: string }).expr,
  ),
);

/** What a histogram or a counter of that name is queried as. */
const PART = /_(bucket|count|sum)$/;

describe("the Grafana dashboard", () => {
  let shown: Set<string>;
  beforeAll(async () => {
    const site = await testSite();
    const page = await (await fetch(`${site.aggregator.http_url}/metrics`)).text();
    await site.close();
    shown = metricNames(`${page}\n${await freshAgentPage().page.text()}`);
  });

  it("asks for nothing that aggregator and agents do not show", () => {
    expect(expressions.length).toBeGreaterThan(20);
    const asked = expressions.flatMap((text) => text.match(/\b(skadi|process|nodejs)_\w+/g) ?? []);
    const unknown = asked.filter((name) => !shown.has(name) && !shown.has(name.replace(PART, "")));
    expect(unknown).toEqual([]);
  });

  it("has panels of their own ids that lie beside each other, each with a title and the chosen Prometheus", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos!;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let i = 0; i < w * h; i++) {
        const place = `${x + (i % w)},${y + Math.floor(i / w)}`;
        expect(taken.has(place), `${panel.title} covers another panel`).toBe(false);
        taken.add(place);
      }
      expect(panel.title).toBeTruthy();
      if (panel.type !== "row") expect(panel.datasource!.uid).toMatch(/^\$\{datasource\}$/);
    }
  });

  it.runIf(hasProgram("prometheus"))(
    "asks what a real Prometheus understands",
    async () => {
      const site = await testSite();
      onTestFinished(() => site.close());
      const prometheus = await startPrometheus({ aggregator: new URL(site.aggregator.http_url).host });
      for (const text of expressions) {
        await expect(prometheus.query(text.replaceAll("$rack", ".*")), text).resolves.toBeDefined();
      }
    },
    30_000,
  );
});
