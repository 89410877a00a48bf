import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { type Command, Option } from "commander";
import type { AggregatorConfig } from "../../shared/contracts/config.ts";
import { skadiError } from "../../shared/errors.ts";
import { readConfig } from "../cli-config.ts";
import { reachableHost } from "../reachable-host.ts";
import { tokenFile } from "../secrets.ts";
import { type AggregatorClient, aggregatorClient } from "./client.ts";

/** What every command has that talks to a running aggregator. */
export interface ClientFlags {
  config?: string;
  url?: string;
  token?: string;
  json?: boolean;
}

/** `controls`: the command also asks for something that needs the token. */
export function withClientOptions(command: Command, { controls = false } = {}): Command {
  command
    .option("--config <file>", "configuration (default: config/aggregator.yaml)")
    .addOption(
      new Option("--url <url>", "address of the aggregator (default: from the configuration)").env(
        "SKADI_URL",
      ),
    );
  if (controls) {
    const token = "the aggregator's token (default: <data_dir>/api-token of the configuration)";
    command.addOption(new Option("--token <token>", token).env("SKADI_TOKEN"));
  }
  return command.option("--json", "print the result as JSON");
}

/** The aggregator that the command is meant for, and its configuration on this machine. */
export function clientOf(flags: ClientFlags): AggregatorClient & { config: AggregatorConfig } {
  const config = readConfig(flags.config);
  const { http, data_dir } = config;
  const configured = `http://${reachableHost(http.host)}:${http.port}`;
  // A variable that is set to nothing is not set.
  const given = { url: flags.url || null, token: flags.token || null };
  const url = given.url ?? configured;
  const file = tokenFile(data_dir);
  const source = given.url === null ? "the configuration (http.host, http.port)" : "--url or SKADI_URL";
  const own = isOwn(url, configured);
  const token = given.token ?? (own && existsSync(file) ? readFileSync(file, "utf8").trim() : null);
  const token_source = given.token === null ? file : "--token or SKADI_TOKEN";
  return { ...aggregatorClient({ url, source, token, token_source }), config };
}

/** Whether the token of this machine's data directory may go there: nowhere but to this machine. */
function isOwn(url: string, configured: string): boolean {
  if (url === configured) return true;
  const host = URL.parse(url)?.hostname;
  if (host === undefined) {
    const expected = "an address such as http://127.0.0.1:8000";
    throw skadiError("SKADI_INVALID_FIELD", { field: "--url", value: url, expected });
  }
  return host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
}
