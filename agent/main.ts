import { Command } from "commander";
import { integerOption, numberOption, runCli } from "../shared/cli.ts";
import { completionCommand } from "../shared/completion/command.ts";
import { packageVersion } from "../shared/version.ts";
import { FAIL_SAFE_TIMEOUT_S } from "./actuators/fail-safe.ts";
import { check } from "./cli/check.ts";
import { agentConfig, type ConfigFlag } from "./cli/config.ts";
import { explain } from "./cli/explain.ts";
import { failSafe } from "./cli/fail-safe.ts";
import { init } from "./cli/init/init.ts";
import { run } from "./cli/run.ts";
import { score } from "./cli/score.ts";
import { sensors } from "./cli/sensors.ts";

const CONFIG = ["--config <file>", "agent configuration (default: config/agent.yaml if it exists)"] as const;

/** Exported for the man page, which is made from it. */
export const program = new Command("skadi-agent")
  .description("Skadi's agent: reads one rack's sensors, scores them, guards the rack, publishes over MQTT")
  .version(packageVersion());

program
  .command("run")
  .description("run until stopped")
  .option(...CONFIG)
  .option("--dry-run", "read, score and decide, and log it all; drive and publish nothing, keep nothing")
  .action(run);
program
  .command("init")
  .description(
    "look for devices and write a commented configuration; asks for what is not given, on a terminal",
  )
  .option("--out <file>", "the file to write", "agent.yaml")
  .option("--force", "overwrite it")
  .option("--rack-id <id>", "R-<row>-<nn>")
  .option("--site <name>", "site (default: dc1)")
  .option("--broker <url>", "the aggregator's MQTT broker (default: mqtt://127.0.0.1:1883)")
  .option("--redfish <url>", "BMC or cooling unit to look at")
  .option("--redfish-user <name>", "its user")
  .option("--redfish-password-file <file>", "a file that holds the user's password")
  .option("--redfish-insecure", "accept any certificate")
  .option("--snmp <host>", "PDU to look at")
  .option("--snmp-port <n>", "its port (default: 161)", integerOption(1, 65_535))
  .option("--snmp-community-file <file>", "a file that holds the community (default: public)")
  .option("--metrics <url>", "metrics page of the inference server to look at")
  .option("--no-host", "do not look at this machine's own sensors")
  .option("--json", "ask nothing, print the result as JSON")
  .action(init);
program
  .command("check")
  .description("check the configuration and that every device, the model and the broker can be reached")
  .option(...CONFIG)
  .option("--json", "print the result as JSON")
  .action(check);
program
  .command("sensors")
  .description("read the sensors and print the values")
  .option(...CONFIG)
  .option("--watch", "go on reading until stopped")
  .option("--json", "print the values as JSON, one line per read")
  .action(sensors);
program
  .command("explain")
  .description("tell why the guardrail decided as it did, and decide it again")
  .argument("<id>", "the id of an action or a decision, from the action log")
  .option(...CONFIG)
  .option("--json", "print the decision and its replay as JSON")
  .action((id: string, flags: ConfigFlag & { json?: boolean }) => explain(agentConfig(flags), id, flags));
program
  .command("fail-safe")
  .description("leave every driven target at least as cool as it is, after the agent ended")
  .option(...CONFIG)
  .option("--json", "print what was driven as JSON")
  .option("--timeout-s <seconds>", "give up after this long", numberOption(0.1, 3_600), FAIL_SAFE_TIMEOUT_S)
  .action((flags: ConfigFlag & { json?: boolean; timeoutS: number }) => failSafe(agentConfig(flags), flags));
program
  .command("score")
  .description("score one telemetry sample (JSON) against a model file")
  .requiredOption("--model <file>", "model file")
  .option("--sample <file>", "the sample; - reads standard input", "-")
  .option("--json", "print the score as JSON")
  .action(score);
program.addCommand(completionCommand(() => program));

/** Runs the command that the process was started with; never rejects. */
export const start = () => runCli(program, process.argv);

// Not awaited: the single binary, which starts here, is a CommonJS bundle, which knows no top-level await.
if (import.meta.main) void start();
