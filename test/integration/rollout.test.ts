import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Agent, createAgent } from "../../agent/agent.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { racksOf } from "../../shared/contracts/rack.ts";
import type { RolloutView } from "../../shared/contracts/rollout.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { createLog } from "../../shared/log.ts";
import { readPublicKey } from "../../shared/signing.ts";
import { systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { alarmingModel, NO_ACTUATORS, noisyModel, noisySensors } from "../support/noisy-racks.ts";
import { freeTcpPort } from "../support/ports.ts";
import { type Program, startProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";

const RACKS = racksOf(["A", "B", "C"], 4);
const SCORE_S = 0.1;
const old = noisyModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1), id: "old" });
const good = noisyModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2), id: "good" });
const bad = alarmingModel(old, 0.1, "bad");

/** A site as it is run: the aggregator a process of its own, and twelve agents over MQTT. */
async function site() {
  const folder = temporaryFolder();
  const data_dir = join(folder, "data");
  const [http_port, mqtt_port] = [await freeTcpPort(), await freeTcpPort()];
  writeModelFile(join(data_dir, "models", "old.json"), old);
  const config_file = join(folder, "aggregator.yaml");
  writeFileSync(
    config_file,
    JSON.stringify({
      ...{ data_dir, rows: ["A", "B", "C"], racks_per_row: 4 },
      ...{ broker: { port: mqtt_port }, http: { port: http_port }, log: { level: "info" } },
      models: {
        rollout: {
          ...{ canary_min: 3, wave_shares: [0.6, 1], soak_s: 6, answer_s: 20, baseline_s: 20 },
          gates: { scores_min: 20 },
        },
      },
    }),
  );
  const url = `http://127.0.0.1:${http_port}`;
  let aggregator: Program;
  const output: string[] = [];
  const up = async () => {
    aggregator = startProgram("aggregator", ["run", "--config", config_file]);
    await eventually("the aggregator's API", async () => (await fetch(`${url}/health`)).ok, 30_000);
  };
  await up();
  const token = readFileSync(join(data_dir, "api-token"), "utf8").trim();
  const public_key = readPublicKey(join(data_dir, "keys", "site.pem.pub"));
  const agents = new Map<string, Agent>();

  const request = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const self = {
    folder,
    log: () => [...output, aggregator.stdout(), aggregator.stderr()].join("\n"),
    request,
    async startAgent(rack_id: string) {
      const clock = systemClock();
      const config = AgentConfig.parse({
        rack_id,
        mqtt: { url: `mqtt://127.0.0.1:${mqtt_port}` },
        loop: { sample_s: SCORE_S, score_s: SCORE_S },
        model: { cache_dir: join(folder, "agents", rack_id) },
        uplink: { store: "memory" },
      });
      const log = createLog("test", "silent");
      const sensors = noisySensors(clock, rack_id, SCORE_S);
      const agent = createAgent({ config, clock, log, sensors, actuators: NO_ACTUATORS, public_key });
      agents.set(rack_id, agent);
      await agent.start();
    },
    agents,
    /** kill -9, and up again on what it left behind. */
    async crash() {
      output.push(aggregator.stdout(), aggregator.stderr());
      aggregator.process.kill("SIGKILL");
      await aggregator.exit();
      await up();
    },
    register: (model: ModelFile) => request("POST", "/models", model),
    promote: (id: string, gated: boolean): Promise<RolloutView> =>
      request("POST", `/models/${id}/promote`, { gated, reason: "a test" }) as Promise<RolloutView>,
    rollout: (id: string) => request("GET", `/rollouts/${id}`) as Promise<RolloutView>,
    models: async () => {
      const { rack_list } = (await request("GET", "/state/overview")) as {
        rack_list: { rack_id: string; agent_model_id: string | null }[];
      };
      return Object.fromEntries(rack_list.map((rack) => [rack.rack_id, rack.agent_model_id]));
    },
    until: (what: string, id: string, test: (view: RolloutView) => boolean): Promise<RolloutView> =>
      eventually(
        what,
        async () => {
          const view = await self.rollout(id);
          return test(view) ? view : null;
        },
        90_000,
      ),
  };
  onTestFinished(async () => {
    await Promise.all([...agents.values()].map((agent) => agent.stop()));
  });
  return self;
}

const all = (model_id: string) => Object.fromEntries(RACKS.map((rack_id) => [rack_id, model_id]));

it("a good model goes over canary and waves to every rack, over a kill -9 of the aggregator; a late rack joins", async () => {
  const running = await site();
  const late = "R-B-02";
  await Promise.all(
    RACKS.filter((rack_id) => rack_id !== late).map((rack_id) => running.startAgent(rack_id)),
  );
  await eventually("every rack runs the first model", async () => {
    const models = await running.models();
    return Object.values(models).filter((id) => id === "old").length === RACKS.length - 1;
  });
  await running.register(good);
  // Their own time before.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  const { id } = await running.promote("good", true);
  const soaking = await running.until("the canary soaks", id, ({ waves }) => waves[0]!.state === "soaking");
  expect(soaking.waves[0]!.racks).not.toContain(late);
  expect(new Set(soaking.waves[0]!.racks.map((rack_id) => rack_id[2])).size).toBe(3);

  await running.crash();

  const done = await running.until("the end", id, ({ state }) => state !== "running");
  const story = done.story.map(({ text }) => text).join("\n");
  expect(story).toMatch(/The aggregator restarted: the canary soaks anew/);
  expect([done.state, story]).toEqual(["completed", story]);
  expect(done.racks).toMatchObject({ refused: [], offline: [late] });
  expect(done.story.at(-1)!.text).toMatch(/11 of 12 racks run good; 1 offline will join later/);
  await eventually("eleven racks run it", async () => {
    return Object.values(await running.models()).filter((id) => id === "good").length === RACKS.length - 1;
  });
  await running.startAgent(late);
  await running.until("the late rack joins", id, ({ racks }) => racks.accepted.includes(late));
  expect(await running.models()).toEqual(all("good"));
  const { active } = (await running.request("GET", "/models")) as { active: string };
  expect(active).toBe("good");

  // A new key, and the way back at once with what it signs.
  await running.request("POST", "/keys/rotate", { reason: "a test" });
  const back = (await running.request("POST", "/models/rollback", { reason: "a test" })) as RolloutView;
  await running.until("everybody is back", back.id, ({ state, racks }) => {
    return state === "completed" && racks.accepted.length === RACKS.length;
  });
  expect(await running.models()).toEqual(all("old"));
  for (const agent of running.agents.values()) expect(agent.stats().model_swaps).toBeGreaterThanOrEqual(1);
}, 180_000);

it("a model that doubles the alarms is halted at the canary and rolled back without a person; the log tells it", async () => {
  const running = await site();
  await Promise.all(RACKS.map((rack_id) => running.startAgent(rack_id)));
  await eventually("every rack runs the first model", async () => {
    return Object.values(await running.models()).every((id) => id === "old");
  });
  await running.register(bad);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  const { id } = await running.promote("bad", true);
  const done = await running.until("the end", id, ({ state }) => state !== "running");
  expect(done).toMatchObject({ state: "rolled_back", waves: [{ state: "failed" }, {}, {}] });
  await running.until("they are back", id, ({ story }) =>
    /Every rack runs old again/.test(story.at(-1)!.text),
  );
  expect(await running.models()).toEqual(all("old"));
  const story = done.story.map(({ text }) => text);
  expect(story.at(-1)).toMatch(/^Halted: the gate on alarm rate failed at the canary: .* go back to old\.$/);
  for (const text of story) expect(running.log()).toContain(text);
}, 180_000);
