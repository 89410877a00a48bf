import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { modelFiles, openModelCache } from "../../agent/models/cache.ts";
import { openTrust } from "../../agent/models/trust.ts";
import { writeModelFile } from "../../shared/ims/model-file.ts";
import { seededRandom } from "../../shared/random.ts";
import { smallModel } from "../support/models.ts";
import { keyPair } from "../support/signed-manifests.ts";
import { temporaryFolder } from "../support/temporary.ts";

const KILLS = 10;
const key = keyPair();
const models = [1, 2, 3].map((seed) => smallModel({ seed, created_ms: Date.UTC(2026, 0, seed) }));

interface Run {
  /** What the agent said that it runs, oldest first. */
  answers: { counter: number; model_id: string }[];
  problems: string;
}

/** Lets an agent take models until it is killed, `after_ms` after its first answer. */
async function runAndKill(args: string[], after_ms: number): Promise<Run> {
  const child = spawn(process.execPath, ["test/support/model-cache-writer.ts", ...args], {
    cwd: new URL("../..", import.meta.url).pathname,
  });
  let said = "";
  let problems = "";
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    problems += text;
  });
  await new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      resolve();
    });
  });
  await sleep(after_ms);
  child.kill("SIGKILL");
  await ended;
  const lines = said.split("\n").slice(0, -1);
  const answers = lines
    .map((line) => line.split(" "))
    .map(([n, id]) => ({ counter: Number(n), model_id: id! }));
  return { answers, problems };
}

describe("an agent that is killed while it takes one model after another", () => {
  it("always finds a whole model, the counter and the keys of before", async () => {
    const folder = temporaryFolder();
    const key_file = join(folder, "key.pem");
    writeFileSync(key_file, key.privateKey.export({ type: "pkcs8", format: "pem" }));
    const model_files = models.map((model) => {
      const file = join(folder, `${model.id}.json`);
      writeModelFile(file, model);
      return file;
    });
    const cache_dir = join(folder, "cache");
    const files = modelFiles({ rack_id: "R-A-01", model: { cache_dir } });
    const random = seededRandom(7);
    let counter = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { answers, problems } = await runAndKill(
        [cache_dir, key_file, ...model_files],
        random.range(0, 40),
      );
      expect(problems).toBe("");
      expect(answers[0]?.counter, "it went on where it was").toBeGreaterThan(counter);
      const last = answers.at(-1)!;

      const found: unknown[] = [];
      const cache = openModelCache(files, (rejections) => found.push(...rejections));
      const trust = openTrust({
        file: files.keys,
        pinned: key.publicKey,
        onProblem: (rejections) => found.push(...rejections),
      });
      await cache.settled();
      expect(found).toEqual([]);
      counter = cache.accepted?.counter ?? 0;
      expect(counter).toBeGreaterThanOrEqual(last.counter);
      // The answered one, or the one after it, which was being written.
      const next = models[(last.counter + 1) % models.length]!;
      expect([last.model_id, next.id]).toContain(cache.model?.id);
      expect(models).toContainEqual(cache.model);
      expect(trust.keys().has(key.id)).toBe(true);
    }
  }, 120_000);
});
