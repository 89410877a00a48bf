import mqtt from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { startDemo } from "../support/demo.ts";
import { eventually } from "../support/eventually.ts";
import { runProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** Everything that racks publish, by channel. */
async function listen(mqtt_url: string) {
  const client = await mqtt.connectAsync(mqtt_url);
  onTestFinished(() => client.endAsync(true));
  const scores: { rack_id: string; d: number; tau_fast: number }[] = [];
  const actions: { rack_id: string; source: string; outcome: string; kind: string; target: string }[] = [];
  const inlets = new Map<string, number[]>();
  client.on("message", (topic, payload) => {
    const message = JSON.parse(payload.toString());
    if (topic.endsWith("/score")) scores.push(message);
    else if (topic.endsWith("/action")) actions.push(message);
    else inlets.set(message.rack_id, [...(inlets.get(message.rack_id) ?? []), message.inlet_c]);
  });
  await client.subscribeAsync(["telemetry", "score", "action"].map((channel) => `skadi/v1/dc1/+/${channel}`));
  return { scores, actions, inlets };
}

const inRow = (row: string) => (rack: { rack_id: string }) => rack.rack_id.startsWith(`R-${row}-`);

describe("the demo", () => {
  it("scores 72 racks without a loss or an error and ends by itself", async () => {
    const data_dir = temporaryFolder();
    const args = ["demo", "--duration", "12", "--speed", "6", "--json", "--port", "0", "--mqtt-port", "0"];
    const { code, stdout, stderr } = await runProgram("sim", [...args, "--data-dir", data_dir]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ racks: 72, lost: 0, errors: 0, duplicates: 0, mode: "advisory" });
    expect(summary.scores).toBeGreaterThanOrEqual(72 * 10);
    // An agent's first sample may come before its model.
    expect(summary.samples - summary.scores).toBeLessThanOrEqual(72);
  }, 120_000);

  it("stops cleanly on Ctrl-C", async () => {
    const { program } = await startDemo({ speed: 5, racks: 12 });
    program.process.kill("SIGINT");
    expect(await program.exit()).toBe(0);
    expect(program.stdout()).toMatch(/Stopped after .* 0 lost, 0 errors/);
  }, 120_000);
});

describe("heat_spike in row C", () => {
  it("is found, classified, fought and over: in row C and nowhere else", async () => {
    const site = await startDemo({ speed: 40 });
    const heard = await listen(site.mqtt_url);
    const racks = async (row: string) => (await site.overview()).rack_list.filter(inRow(row));

    // Advisory by default: nothing is driven, so the heat shows.
    expect(await site.post("/demo/scenario", { scenario: "heat_spike", duration_minutes: 25 })).toMatchObject(
      { status: 200 },
    );
    await eventually(
      "D of every rack of row C crosses tau_fast",
      async () => (await racks("C")).every((r) => r.d >= r.tau_fast),
      30_000,
    );
    await eventually(
      "MMS calls every rack of row C persistent",
      async () => (await racks("C")).every((r) => r.state === "persistent"),
      30_000,
    );
    await eventually(
      "an inlet of row C passes 28 °C",
      async () => (await racks("C")).some((r) => r.inlet_c >= 28),
      30_000,
    );
    const advised = heard.actions.filter((a) => a.source === "guardrail");
    expect(advised.length).toBeGreaterThan(0);
    expect(advised.every((a) => a.outcome === "advised" && inRow("C")(a))).toBe(true);

    // The operator lets Skadi act.
    expect((await site.post("/mode", { mode: "closed_loop" })).status).toBe(200);
    await eventually(
      "the guardrail acts on row C",
      () => heard.actions.some((a) => a.outcome === "applied" && inRow("C")(a)),
      20_000,
    );
    await eventually(
      "every inlet of row C is back under 28 °C",
      async () => (await racks("C")).every((r) => r.inlet_c < 28),
      40_000,
    );
    const applied = heard.actions.filter((a) => a.source === "guardrail" && a.outcome === "applied");
    expect(applied.every(inRow("C"))).toBe(true);
    expect(new Set(applied.map((a) => a.kind))).toContain("pre_cool");

    // The scenario ends; the guardrail hands back; all is as before.
    await site.post("/demo/scenario", { scenario: "add_ai_nodes_row_c", action: "stop" });
    await eventually(
      "every rack is transient again",
      async () => (await site.overview()).rack_list.every((r) => r.mms_state === "transient"),
      60_000,
    );

    // Throughout, MMS called no rack of another row persistent.
    interface Event {
      type: string;
      rack_id: string;
      data: { state?: string };
    }
    const { events } = await site.get<{ events: Event[] }>("/timeline?limit=10000");
    const persistent = events.filter((e) => e.type === "mms" && e.data.state === "persistent");
    expect(persistent.length).toBeGreaterThanOrEqual(12);
    expect(persistent.filter((e) => !inRow("C")(e))).toEqual([]);
  }, 240_000);
});
