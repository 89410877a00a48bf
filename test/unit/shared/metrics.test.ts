import { describe, expect, it } from "vitest";
import { metricsPage } from "../../../shared/metrics.ts";
import { addProcessMetrics } from "../../../shared/process-metrics.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { lintMetrics } from "../../support/prometheus.ts";

const samples = async (page: { text(): Promise<string> }) =>
  (await page.text()).split("\n").filter((line) => line && !line.startsWith("#"));

describe("a page of metrics", () => {
  it("reads its values when it is asked for", async () => {
    const page = metricsPage();
    let inlet_c = 21;
    page.gauge("inlet_celsius", "Inlet.", () => inlet_c);
    expect(await samples(page)).toEqual(["inlet_celsius 21"]);
    inlet_c = 22.5;
    expect(await samples(page)).toEqual(["inlet_celsius 22.5"]);
  });

  it("leaves out what there is no value of, with and without labels, and what was there and is no more", async () => {
    const page = metricsPage();
    let there = true;
    page.gauge("alone", "One.", () => (there ? 1 : null));
    page.gauge("several", "Several.", () => [[{ rack: "a" }, there ? 1 : null] as const], ["rack"]);
    expect(await samples(page)).toEqual(["alone 1", 'several{rack="a"} 1']);
    there = false;
    expect(await samples(page)).toEqual([]);
  });

  it("shows a count as it stands, however often it is asked for", async () => {
    const page = metricsPage();
    page.counter("things_total", "Things.", () => [[{ kind: "x" }, 7] as const], ["kind"]);
    await page.text();
    expect(await samples(page)).toEqual(['things_total{kind="x"} 7']);
  });

  it("counts durations in buckets, in seconds", async () => {
    const page = metricsPage();
    const took = page.durations("work_seconds", "Work.", ["part"]);
    took(0.002, { part: "a" });
    took(0.3, { part: "a" });
    const lines = await samples(page);
    expect(lines).toContain('work_seconds_bucket{le="0.005",part="a"} 1');
    expect(lines).toContain('work_seconds_bucket{le="0.5",part="a"} 2');
    expect(lines).toContain('work_seconds_sum{part="a"} 0.302');
  });

  it.runIf(hasProgram("promtool"))("has promtool's approval of the process's own metrics", async () => {
    const page = metricsPage();
    addProcessMetrics(page);
    expect(lintMetrics(await page.text())).toBe("");
  });
});
