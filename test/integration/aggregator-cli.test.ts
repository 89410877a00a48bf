import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { eventually } from "../support/eventually.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";

const freePorts = (data_dir: string) => ({
  SKADI_DATA_DIR: data_dir,
  SKADI_HTTP_PORT: "0",
  SKADI_BROKER_PORT: "0",
});

describe("skadi-aggregator", () => {
  it("run: says where it is, serves, and ends cleanly at SIGTERM with a listener still connected", async () => {
    const program = startProgram("aggregator", ["run", "--json"], freePorts(temporaryFolder()));
    const [line] = await program.says(/\{.*\}/);
    const { http_url, mqtt_url } = JSON.parse(line);
    expect(mqtt_url).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
    const socket = new WebSocket(`${http_url.replace("http", "ws")}/ws/events`);
    await eventually("the connection", () => socket.readyState === WebSocket.OPEN);
    const report = await runProgram("aggregator", ["report", "--url", http_url]);
    expect([report.code, report.stdout]).toEqual([0, expect.stringContaining("Site dc1")]);
    program.process.kill("SIGTERM");
    expect(await program.exit()).toBe(0);
    await eventually("the end of the connection", () => socket.readyState === WebSocket.CLOSED);
  });

  it("run: a wrong configuration names every wrong field and ends with 2", async () => {
    const file = join(temporaryFolder(), "wrong.yaml");
    writeFileSync(file, "site: DC One\nmms: { ticks: 0 }\nhttp: { prot: 80 }\n");
    const { code, stderr } = await runProgram("aggregator", ["run", "--config", file]);
    expect(code).toBe(2);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(3);
    for (const field of ["site", "mms.ticks", "http"]) expect(stderr).toContain(`field ${field}`);
  });

  it("report: says that nothing answers", async () => {
    const { code, stderr } = await runProgram("aggregator", ["report", "--url", "http://127.0.0.1:9"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("a running aggregator")]);
  });
});
