import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, it, onTestFinished } from "vitest";
import type { ModelDiff } from "../../shared/contracts/model-diff.ts";
import type { RolloutView } from "../../shared/contracts/rollout.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { eventually } from "../support/eventually.ts";
import { modelAgents } from "../support/model-agents.ts";
import { smallModel } from "../support/models.ts";
import { freeTcpPort } from "../support/ports.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";

const first = smallModel({ seed: 1, created_ms: Date.UTC(2026, 0, 1) });
const second = smallModel({ seed: 2, created_ms: Date.UTC(2026, 0, 2) });
const RACKS = ["R-A-01", "R-A-02", "R-A-03"];

/** A running aggregator with three agents, and the command line beside it. */
async function site() {
  const folder = temporaryFolder();
  const data_dir = join(folder, "data");
  mkdirSync(join(data_dir, "models"), { recursive: true });
  writeModelFile(join(data_dir, "models", "first.json"), first);
  const config = join(folder, "aggregator.yaml");
  const [http, broker] = [{ port: await freeTcpPort() }, { port: await freeTcpPort() }];
  const models = { rollout: { soak_s: 60, canary_min: 1 } };
  writeFileSync(config, JSON.stringify({ data_dir, rows: ["A"], racks_per_row: 3, http, broker, models }));
  const start = async () => {
    const program = startProgram("aggregator", ["run", "--config", config, "--json"]);
    await program.says(/"mqtt_url"/);
    return program;
  };
  const program = await start();
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  onTestFinished(() => client.endAsync(true));
  const agents = await modelAgents(client, "dc1", RACKS);
  const cli = (...args: string[]) => runProgram("aggregator", [...args, "--config", config]);
  return {
    ...{ program, start, data_dir, config, folder, agents, cli },
    /** What a command prints with --json; it must end well. */
    async json<T>(...args: string[]): Promise<T> {
      const { code, stdout, stderr } = await cli(...args, "--json");
      if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
    everyRackRuns: (id: string) =>
      eventually(`every rack runs ${id}`, () => Object.values(agents.running()).every((run) => run === id)),
  };
}

it("the life of a model on the command line: registered, compared, rolled out, pinned around, taken back", async () => {
  const { cli, json, folder, everyRackRuns, agents } = await site();
  await everyRackRuns(first.id);
  const file = join(folder, "second.json");
  writeModelFile(file, second);

  const registered = await cli("models", "push", file, "--candidate");
  expect([registered.code, registered.stderr]).toEqual([0, ""]);
  expect(registered.stdout).toContain(`models promote ${second.id} --watch`);
  const list = await json<{ active: string; models: { model_id: string; stage: string }[] }>(
    "models",
    "list",
  );
  expect(list.active).toBe(first.id);
  expect(list.models).toMatchObject([
    { model_id: second.id, stage: "candidate" },
    { model_id: first.id, stage: "active" },
  ]);
  expect((await cli("models", "list")).stdout).toMatch(/candidate\s.*ims_20260102_000000/);

  const diff = await json<ModelDiff>("models", "diff", first.id, second.sha256.slice(0, 8));
  expect([diff.a.model_id, diff.b.model_id, diff.centres.matched.length]).toEqual([first.id, second.id, 4]);
  const readable = (await cli("models", "diff", first.id, second.id)).stdout;
  for (const text of ["tau_persist", "inlet_c", "on the same level", "correlation of D/tau_fast"])
    expect(readable).toContain(text);

  const rollout = await json<RolloutView>(
    "models",
    "promote",
    second.id,
    "--ungated",
    "--watch",
    "--reason",
    "newer",
  );
  expect(rollout).toMatchObject({ state: "completed", gated: false, reason: "newer" });
  expect(rollout.racks.accepted.toSorted()).toEqual(RACKS);
  await everyRackRuns(second.id);
  const shown = (await cli("models", "show", second.id)).stdout;
  expect(shown).toMatch(/ims_20260102_000000 \(kmeans\): active/);
  expect(shown).toMatch(/running it {3}3: R-A-01 R-A-02 R-A-03/);

  expect(await json("models", "pin", "R-A-02", first.id)).toMatchObject({
    scope: "R-A-02",
    model_id: first.id,
  });
  await eventually("the pinned rack", () => agents.running()["R-A-02"] === first.id);
  expect((await cli("models", "pins")).stdout).toContain("R-A-02");
  await json("models", "unpin", "R-A-02");
  await everyRackRuns(second.id);

  const back = await cli("models", "rollback", "--watch");
  expect(back.code).toBe(0);
  expect(back.stdout).toContain(`of ${first.id} (before: ${second.id}): completed`);
  expect(back.stderr).not.toBe("");
  await everyRackRuns(first.id);
  const { rollouts } = await json<{ rollouts: RolloutView[] }>("models", "rollouts");
  expect(rollouts.map(({ model_id }) => model_id)).toEqual([first.id, second.id, first.id]);
}, 120_000);

it("a gated rollout is followed from the canary on; halted meanwhile, following it ends with 1", async () => {
  const { cli, json, folder, everyRackRuns } = await site();
  await everyRackRuns(first.id);
  const file = join(folder, "second.json");
  writeModelFile(file, second);
  const started = await json<RolloutView>("models", "push", file);
  expect(started).toMatchObject({ state: "running", gated: true });
  const watching = cli("models", "watch", started.id);
  const halted = await json<RolloutView>("models", "halt", started.id, "--reason", "changed my mind");
  expect(halted.state).toBe("rolled_back");
  const { code, stdout, stderr } = await watching;
  expect(code).toBe(1);
  expect(stdout).toMatch(/rolled back/);
  expect(`${stderr}${stdout}`).toContain("changed my mind");
  await everyRackRuns(first.id);
}, 120_000);

it("an aggregator that is killed and started again takes the rollout up, and so does whoever follows it", async () => {
  const { json, folder, everyRackRuns, program, start, config } = await site();
  await everyRackRuns(first.id);
  const file = join(folder, "second.json");
  writeModelFile(file, second);
  const started = await json<RolloutView>("models", "push", file);
  const watching = startProgram("aggregator", ["models", "watch", "--json", "--config", config]);
  await eventually("the watcher's first line", () => watching.stderr().includes("canary"));
  program.process.kill("SIGKILL");
  await program.exit();
  await start();
  const { models } = await json<{ models: { stage: string }[] }>("models", "list");
  expect(models.map(({ stage }) => stage)).toEqual(["canary", "active"]);
  await json("models", "halt", started.id);
  expect(await watching.exit()).toBe(1);
  expect(JSON.parse(watching.stdout())).toMatchObject({ id: started.id, state: "rolled_back" });
}, 120_000);

it("keys: the list names the one that signs, and a rotation changes it", async () => {
  const { cli, json } = await site();
  const { key_id } = await json<{ key_id: string }>("keys", "rotate");
  const { keys } = await json<{ keys: { key_id: string; current: boolean }[] }>("keys", "list");
  expect(keys).toHaveLength(2);
  expect(keys.find(({ current }) => current)?.key_id).toBe(key_id);
  expect((await cli("keys", "list")).stdout).toMatch(new RegExp(`● *│ ${key_id}`));
}, 60_000);

it("a model that is trained beside a running aggregator is taken in with its lineage and its report", async () => {
  const { cli, json, folder, data_dir } = await site();
  const data = join(folder, "day.csv");
  await runProgram("sim", ["generate", "--hours", "1", "--tick", "60", "--out", data]);
  const trained = await json<{ model_id: string; path: string }>(
    "train",
    "--data",
    data,
    "--clusters",
    "4",
    "--report",
  );
  expect(trained.path).toBe(join(data_dir, "models", `${trained.model_id}.json`));
  const shown = await json<{ stage: string; lineage: Record<string, unknown> }>(
    "models",
    "show",
    trained.model_id,
  );
  expect(shown).toMatchObject({
    stage: "candidate",
    lineage: { source: "trained", data: "day.csv", parameters: { clusters: 4, seed: 42 } },
  });
  expect(shown.lineage.data_sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(Date.parse(String(shown.lineage.to)) - Date.parse(String(shown.lineage.from))).toBe(59 * 60_000);
  const page = readFileSync(join(data_dir, "models", String(shown.lineage.report)), "utf8");
  expect(page).toContain(`Model ${trained.model_id}`);
  expect((await cli("models", "show", trained.model_id)).stdout).toContain("day.csv");
}, 120_000);

it("what cannot be done ends with 2 and says what to do instead", async () => {
  const { cli, folder } = await site();
  const tampered = join(folder, "tampered.json");
  writeFileSync(tampered, JSON.stringify({ ...second, tau_fast: second.tau_fast / 2 }));
  for (const [args, code, hint] of [
    [["models", "promote", "ims_none"], "SKADI_NOT_FOUND", "skadi-aggregator models list"],
    [["models", "promote", first.id], "SKADI_CONFLICT", "not active already"],
    [["models", "push", tampered], "SKADI_MODEL_HASH", "sha256"],
    [["models", "push", join(folder, "none.json")], "SKADI_MODEL_SCHEMA", "readable file"],
    [["models", "rollback"], "SKADI_NOT_FOUND", "models promote <model>"],
    [["models", "pin", "R-Z-01", first.id], "SKADI_NOT_FOUND", "a rack or a row of this site"],
    [["models", "unpin", "A"], "SKADI_NOT_FOUND", "skadi-aggregator models pins"],
    [["models", "halt", "none"], "SKADI_NOT_FOUND", "skadi-aggregator models rollouts"],
  ] as const) {
    const result = await cli(...args);
    expect([args[1], result.code]).toEqual([args[1], 2]);
    expect(result.stderr).toContain(code);
    expect(result.stderr).toContain(hint);
    expect(result.stdout).toBe("");
  }
}, 120_000);

it("without a running aggregator, list reads the folder and everything else says how to start one", async () => {
  const { cli, program, data_dir } = await site();
  program.process.kill("SIGTERM");
  expect(await program.exit()).toBe(0);
  writeFileSync(join(data_dir, "models", "broken.json"), "{");
  const listed = await cli("models", "list", "--json");
  expect(listed.code).toBe(0);
  expect(listed.stderr).toContain("cannot be reached");
  expect(JSON.parse(listed.stdout)).toMatchObject({
    active: null,
    models: [{ model_id: first.id, stage: null, lineage: { source: "found" } }],
    invalid: [{ path: join(data_dir, "models", "broken.json") }],
  });
  const table = (await cli("models", "list")).stdout;
  expect(table).toContain(first.id);
  expect(table).toContain("Not valid: ");
  const promoted = await cli("models", "promote", first.id);
  expect(promoted.code).toBe(2);
  expect(promoted.stderr).toContain("skadi-aggregator run");
}, 60_000);
