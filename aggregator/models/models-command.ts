import { existsSync } from "node:fs";
import Table from "cli-table3";
import { Command } from "commander";
import { numberOption } from "../../shared/cli.ts";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import type { MqttClientConfig } from "../../shared/contracts/config-parts.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { SkadiError, skadiError } from "../../shared/errors.ts";
import { readModelFile } from "../../shared/ims/model-file.ts";
import { loadOrCreateKey } from "../../shared/signing.ts";
import { readConfig } from "../cli-config.ts";
import { reachableHost } from "../reachable-host.ts";
import { loadOrCreateToken, MQTT_USERNAME, modelFolder, siteKeyFile, tokenFile } from "../secrets.ts";
import { type Library, modelLibrary } from "./library.ts";
import type { PushSummary, PushTarget } from "./push.ts";

/** The MQTT client is loaded when it is needed: other commands start without it. */
const loadPush = () => import("./push.ts");

interface Flags {
  config?: string;
  json?: boolean;
  wait: number;
}

/** `skadi-aggregator models push|list|promote|rollback`: works on a running site over its broker. */
export function modelsCommand(): Command {
  const models = new Command("models").description("push models to the agents of a running site");
  const subcommand = (usage: string, description: string) =>
    models
      .command(usage)
      .description(description)
      .option("--config <file>", "aggregator configuration (default: config/aggregator.yaml)")
      .option("--json", "print the result as JSON");
  const waiting = (command: Command) =>
    command.option("--wait <seconds>", "how long to wait for the agents' answers", numberOption(0, 600), 10);
  waiting(subcommand("push <file>", "make a model file the one that every agent runs")).action(push);
  waiting(subcommand("promote <id>", "make a model of the library the one to run")).action(promote);
  waiting(subcommand("rollback", "go back to the model that ran before")).action(rollback);
  subcommand("list", "list the models of the library").action(list);
  return models;
}

async function push(file: string, flags: Flags): Promise<void> {
  const parsed = readModelFile(file);
  if (!parsed.ok) {
    for (const { code, message } of parsed.rejections) process.stderr.write(`${code}: ${message}\n`);
    process.exitCode = 1;
    return;
  }
  await roll(readConfig(flags.config), parsed.value, flags);
}

async function promote(id: string, flags: Flags): Promise<void> {
  const config = readConfig(flags.config);
  await roll(config, find(modelLibrary(modelFolder(config.data_dir)), id), flags);
}

async function rollback(flags: Flags): Promise<void> {
  const config = readConfig(flags.config);
  const { readRetained } = await loadPush();
  const retained = await readRetained(targetOf(config));
  if (!retained?.previous_id) {
    throw skadiError("SKADI_NOT_FOUND", {
      field: "previous_id",
      expected: "a model that ran before this one",
    });
  }
  await roll(config, find(modelLibrary(modelFolder(config.data_dir)), retained.previous_id), flags);
}

async function list(flags: Flags): Promise<void> {
  const config = readConfig(flags.config);
  const retained = await retainedOrNull(config);
  const entries = modelLibrary(modelFolder(config.data_dir)).list();
  const rows = entries.map(({ path, parsed }) => {
    if (!parsed.ok) return { id: null, path, valid: false, reason: parsed.rejections[0]?.message ?? "" };
    const { id, created_at, tau_fast, tau_persist, sha256 } = parsed.value;
    return {
      id,
      path,
      valid: true,
      created_at,
      tau_fast,
      tau_persist,
      active: sha256 === retained?.model.sha256,
    };
  });
  process.stdout.write(flags.json ? `${JSON.stringify({ models: rows })}\n` : `${listTable(rows)}\n`);
}

/** Without a running broker the library can still be listed. */
async function retainedOrNull(config: AggregatorConfig) {
  try {
    const { readRetained } = await loadPush();
    return await readRetained(targetOf(config));
  } catch (error) {
    if (!(error instanceof SkadiError) || error.code !== "SKADI_MQTT") throw error;
    process.stderr.write(
      `the broker cannot be reached, so the active model is not known: ${error.message}\n`,
    );
    return null;
  }
}

function find(library: Library, id: string): ModelFile {
  const model = library.models().find((candidate) => candidate.id === id);
  if (!model)
    throw skadiError("SKADI_NOT_FOUND", {
      field: "model",
      value: id,
      expected: "a valid model of the library",
    });
  return model;
}

async function roll(config: AggregatorConfig, model: ModelFile, flags: Flags): Promise<void> {
  const { pushModel } = await loadPush();
  const summary = await pushModel(targetOf(config), model, flags.wait);
  modelLibrary(modelFolder(config.data_dir)).save(model);
  process.stdout.write(flags.json ? `${JSON.stringify(summary)}\n` : readable(summary));
  if (summary.refused.length > 0) process.exitCode = 1;
}

/** The broker with the right to publish down, and the key that agents trust: both of an existing data directory. */
function targetOf(config: AggregatorConfig): PushTarget {
  const { site, data_dir } = config;
  for (const file of [siteKeyFile(data_dir), tokenFile(data_dir)]) {
    if (existsSync(file)) continue;
    const expected = "the data directory of an aggregator that has run";
    throw skadiError("SKADI_NOT_FOUND", { field: "data_dir", value: file, expected });
  }
  return { site, broker: brokerOf(config), keys: loadOrCreateKey(siteKeyFile(data_dir)) };
}

function brokerOf({ broker, data_dir }: AggregatorConfig): MqttClientConfig {
  if (!broker.embedded) return broker.external;
  const url = `mqtt://${reachableHost(broker.host)}:${broker.port}`;
  return { url, username: MQTT_USERNAME, password: loadOrCreateToken(data_dir) };
}

function readable({ model_id, previous_id, accepted, refused, silent }: PushSummary): string {
  const table = new Table({
    head: ["answer", "racks", "which"],
    colWidths: [10, 7, 80],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  table.push(["accepted", accepted.length, accepted.join(" ")]);
  const reasons = refused.map(
    ({ rack_id, errors }) => `${rack_id}: ${errors.map((e) => e.message).join("; ")}`,
  );
  table.push(["refused", refused.length, reasons.join("\n")]);
  table.push(["silent", silent.length, silent.join(" ")]);
  return `Model ${model_id} is now the site's (before: ${previous_id ?? "none"})\n${table.toString()}\n`;
}

function listTable(rows: { id: string | null; path: string; [key: string]: unknown }[]): string {
  const table = new Table({
    head: ["", "model", "created", "tau_fast", "tau_persist", "file"],
    style: { head: [], border: [] },
  });
  const figure = (value: unknown) => (typeof value === "number" ? value.toFixed(4) : "");
  for (const { id, path, active, created_at, tau_fast, tau_persist, reason } of rows) {
    const file = reason ? `${path} (${reason})` : path;
    table.push([
      active ? "●" : "",
      id ?? "not valid",
      String(created_at ?? ""),
      figure(tau_fast),
      figure(tau_persist),
      file,
    ]);
  }
  return table.toString();
}
