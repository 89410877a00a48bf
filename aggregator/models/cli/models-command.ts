import { Command } from "commander";
import * as z from "zod";
import { ModelDiff } from "../../../shared/contracts/model-diff.ts";
import { ModelDetail, Pin, RegisteredModel } from "../../../shared/contracts/registry.ts";
import { RolloutView } from "../../../shared/contracts/rollout.ts";
import { SkadiError, skadiError } from "../../../shared/errors.ts";
import { readModelFile } from "../../../shared/ims/model-file.ts";
import type { AggregatorClient } from "../../cli/client.ts";
import { readLineage } from "../registry/lineage.ts";
import { listModels } from "./list.ts";
import { onSite, print, type SiteFlags, withSiteOptions } from "./site.ts";
import { watchRollout } from "./watch.ts";
import { diffText, modelText, pinsTable, rolloutsTable, rolloutText, shortHash } from "./wording.ts";

interface RolloutFlags extends SiteFlags {
  reason?: string;
  watch?: boolean;
  ungated?: boolean;
  candidate?: boolean;
}

const MODEL = "id, SHA-256 or its first 8 or more digits";
const path = (name: string) => encodeURIComponent(name);

/** `skadi-aggregator models …`: the registry and the rollouts of a running aggregator. */
export function modelsCommand(): Command {
  const models = new Command("models").description("which models there are, and which one runs where");
  const subcommand = (usage: string, description: string) =>
    withSiteOptions(models.command(usage).description(description));
  const rollingOut = (usage: string, description: string) =>
    subcommand(usage, description)
      .option("--reason <text>", "why, for the record")
      .option("--watch", "follow the rollout to its end; exit code 1 if it does not complete");
  const ungated = ["--ungated", "at once on every rack, without canary and health gates"] as const;

  subcommand("list", "list the models, their stages and where they come from").action(listModels);
  subcommand("show <model>", `show all that is known of a model (${MODEL})`).action(show);
  subcommand("diff <a> <b>", "compare centres, thresholds and what both make of the same samples").action(
    diff,
  );
  rollingOut("push <file>", "bring a model file to the site, and from there to every rack")
    .option("--candidate", "register it only; no rack runs it yet")
    .option(...ungated)
    .action(push);
  rollingOut("promote <model>", "bring a registered model to every rack: a canary first, then wave by wave")
    .option(...ungated)
    .action((model: string, flags: RolloutFlags) => finish(flags, (api) => promote(api, model, flags)));
  rollingOut("rollback", "go back at once to the model that ran before, and halt what is under way").action(
    (flags: RolloutFlags) =>
      finish(flags, (api) => api.control("/models/rollback", RolloutView, because(flags))),
  );
  subcommand(
    "pin <scope> <model>",
    "keep a rack (R-C-07) or a row (C) on a model, whatever the site runs",
  ).action(pin);
  subcommand("unpin <scope>", "let a rack or a row follow the site again").action(unpin);
  subcommand("pins", "list what is pinned").action(pins);
  subcommand("rollouts", "list the rollouts, newest first").action(rollouts);
  subcommand("watch [rollout]", "follow a rollout to its end (default: the newest)").action(
    (id: string | undefined, flags: SiteFlags) =>
      finish({ ...flags, watch: true }, (api) => rolloutOrNewest(api, id)),
  );
  subcommand("halt <rollout>", "stop a rollout: its racks go back to what they ran before")
    .option("--reason <text>", "why, for the record")
    .action((id: string, flags: RolloutFlags) =>
      finish(flags, (api) => api.control(`/rollouts/${path(id)}/halt`, RolloutView, because(flags))),
    );
  return models;
}

async function show(model: string, flags: SiteFlags): Promise<void> {
  const detail = await onSite(flags, (api) => api.get(`/models/${path(model)}`, ModelDetail));
  print(flags, detail, () => modelText(detail));
}

async function diff(a: string, b: string, flags: SiteFlags): Promise<void> {
  const result = await onSite(flags, (api) => api.get(`/models/${path(a)}/diff/${path(b)}`, ModelDiff));
  print(flags, result, () => diffText(result));
}

async function push(file: string, flags: RolloutFlags): Promise<void> {
  const parsed = readModelFile(file);
  if (!parsed.ok) throw new SkadiError(parsed.rejections);
  const model = parsed.value;
  const lineage = readLineage(file, model);
  const register = (api: AggregatorClient) =>
    api.control("/models", RegisteredModel, lineage ? { model, lineage } : model);
  if (!flags.candidate) {
    await finish(flags, async (api) => {
      await register(api);
      return promote(api, model.sha256, flags);
    });
    return;
  }
  const registered = await onSite(flags, register);
  print(
    flags,
    registered,
    () =>
      `Model ${registered.model_id} (${shortHash(registered.sha256)}) is registered: ${registered.stage}\n` +
      `Next: skadi-aggregator models promote ${registered.model_id} --watch`,
  );
}

function promote(api: AggregatorClient, model: string, flags: RolloutFlags): Promise<RolloutView> {
  const body = { gated: !flags.ungated, ...because(flags) };
  return api.control(`/models/${path(model)}/promote`, RolloutView, body);
}

const because = ({ reason }: RolloutFlags) => (reason === undefined ? {} : { reason });

/** Starts something that is a rollout, follows it if that is wanted, and says how it stands or ended. */
async function finish(
  flags: RolloutFlags,
  start: (api: AggregatorClient) => Promise<RolloutView>,
): Promise<void> {
  const rollout = await onSite(flags, async (api) => {
    const started = await start(api);
    return flags.watch ? watchRollout(api, started) : started;
  });
  const next =
    rollout.state === "running" ? `\nFollow it with: skadi-aggregator models watch ${rollout.id}` : "";
  print(flags, rollout, () => `${rolloutText(rollout, flags.watch ?? false)}${next}`);
  const failed = rollout.state !== "completed" || rollout.racks.refused.length > 0;
  if (flags.watch && failed) process.exitCode = 1;
}

async function pin(scope: string, model_id: string, flags: SiteFlags): Promise<void> {
  const made = await onSite(flags, (api) => api.put("/models/pins", Pin, { scope, model_id }));
  print(flags, made, () => `${made.scope} keeps ${made.model_id} (${shortHash(made.sha256)})`);
}

async function unpin(scope: string, flags: SiteFlags): Promise<void> {
  const answer = z.object({ unpinned: Pin });
  const result = await onSite(flags, (api) => api.remove(`/models/pins/${path(scope)}`, answer));
  print(flags, result, () => `${scope} follows the site again`);
}

async function pins(flags: SiteFlags): Promise<void> {
  const result = await onSite(flags, (api) => api.get("/models/pins", z.object({ pins: z.array(Pin) })));
  print(flags, result, () => pinsTable(result.pins));
}

const Rollouts = z.object({ rollouts: z.array(RolloutView) });

async function rollouts(flags: SiteFlags): Promise<void> {
  const result = await onSite(flags, (api) => api.get("/rollouts", Rollouts));
  print(flags, result, () => rolloutsTable(result.rollouts));
}

async function rolloutOrNewest(api: AggregatorClient, id: string | undefined): Promise<RolloutView> {
  if (id !== undefined) return api.get(`/rollouts/${path(id)}`, RolloutView);
  const [newest] = (await api.get("/rollouts", Rollouts)).rollouts;
  if (newest) return newest;
  throw skadiError("SKADI_NOT_FOUND", { field: "rollout", expected: "a rollout of this site" });
}
