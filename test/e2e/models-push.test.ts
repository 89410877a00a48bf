import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { RolloutView } from "../../shared/contracts/rollout.ts";
import { readModelFile, sealModel } from "../../shared/ims/model-file.ts";
import { eventually } from "../support/eventually.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary.ts";

const run = promisify(execFile);

it("a pushed model reaches every running agent, which swaps without missing a tick; a bad one is refused", async () => {
  const data_dir = temporaryFolder();
  const demo = startProgram("sim", [
    ...["demo", "--racks", "12", "--speed", "4", "--port", "0", "--mqtt-port", "0", "--data-dir", data_dir],
  ]);
  const [, http_url] = await demo.says(/Aggregator\s+(http:\S+)/);
  const overview = async () => {
    const answer = await (await fetch(`${http_url}/state/overview`)).json();
    return answer as { model_id: string; rack_list: { agent_model_id: string }[] };
  };
  const models = async () => new Set((await overview()).rack_list.map((rack) => rack.agent_model_id));
  const first_id = await eventually(
    "every agent runs the first model",
    async () => {
      const ids = [...(await models())];
      return ids.length === 1 && ids[0];
    },
    30_000,
  );

  // A second model: the same clusters, a more cautious threshold.
  const folder = temporaryFolder();
  const { stdout } = await run("ls", [join(data_dir, "models")]);
  const first = readModelFile(join(data_dir, "models", stdout.trim().split("\n")[0]!));
  if (!first.ok) throw new Error("the demo's own model must be valid");
  const { sha256: _, ...content } = first.value;
  const second = sealModel({
    ...content,
    id: "cautious",
    tau_fast: content.tau_fast * 0.95,
    created_at: new Date().toISOString(),
  });
  const good_file = join(folder, "cautious.json");
  writeFileSync(good_file, JSON.stringify(second));
  const bad_file = join(folder, "bad.json");
  writeFileSync(bad_file, JSON.stringify({ ...second, id: "tampered" }));

  const config = join(folder, "aggregator.yaml");
  writeFileSync(config, JSON.stringify({ data_dir }));
  const at_site = ["--config", config, "--url", http_url!];
  const push = (file: string) =>
    runProgram("aggregator", ["models", "push", file, ...at_site, "--ungated", "--watch", "--json"]);

  const bad = await push(bad_file);
  expect(bad.code).not.toBe(0);
  expect(bad.stderr).toContain("SKADI_MODEL_HASH");
  expect([...(await models())]).toEqual([first_id]);

  const good = await push(good_file);
  expect(good.code).toBe(0);
  const rollout = JSON.parse(good.stdout) as RolloutView;
  expect(rollout).toMatchObject({ model_id: "cautious", previous_id: first_id, state: "completed" });
  expect(rollout.racks).toMatchObject({ total: 12, refused: [], waiting: [], offline: [] });
  await eventually("every agent runs the second model", async () => {
    const ids = [...(await models())];
    return ids.length === 1 && ids[0] === "cautious";
  });
  expect((await overview()).model_id).toBe("cautious");
  expect(readFileSync(join(data_dir, "models", "cautious.json"), "utf8")).toContain('"cautious"');

  demo.process.kill("SIGINT");
  expect(await demo.exit()).toBe(0);
  expect(demo.stdout()).toMatch(/0 lost, 0 errors/);
}, 120_000);
