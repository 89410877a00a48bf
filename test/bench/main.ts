import { enableCompileCache } from "node:module";
import { Command } from "commander";
import { integerOption, numberOption, runCli } from "../../shared/cli.ts";
import { benchDashboard } from "./dashboard.ts";
import { benchFaults } from "./faults.ts";
import { benchFootprint } from "./footprint.ts";
import { benchGenerate } from "./generate.ts";
import { benchIms } from "./ims.ts";
import { benchMms } from "./mms.ts";
import { benchOptimizer } from "./optimizer.ts";
import { type BenchOptions, seedList } from "./options.ts";
import { benchPipeline } from "./pipeline.ts";
import { benchPlant } from "./plant.ts";
import { benchReaction } from "./reaction.ts";
import { benchRollout } from "./rollout.ts";
import { benchSavings } from "./savings.ts";
import { benchSeason } from "./season.ts";
import { benchSkab } from "./skab.ts";

// As the programs do, for the threads that they start.
enableCompileCache();

interface Bench {
  name: string;
  what: string;
  run(options: BenchOptions): Promise<void>;
}

const BENCHES: readonly Bench[] = [
  { name: "generate", what: "data generation, against the described 20,000 samples/s", run: benchGenerate },
  { name: "ims", what: "training and scoring, against scikit-learn where it is installed", run: benchIms },
  { name: "plant", what: "the closed-loop plant: speed, calibration, false alarms", run: benchPlant },
  {
    name: "skab",
    what: "fault detection on the public SKAB recordings of a water loop",
    run: () => benchSkab(),
  },
  {
    name: "faults",
    what: "recall, false alarms and delay on the simulator's labelled faults",
    run: () => benchFaults(),
  },
  {
    name: "reaction",
    what: "from a reading over the limit to the actuator, under full CPU load; guard ticks missed",
    run: benchReaction,
  },
  {
    name: "footprint",
    what: "memory and CPU of the packaged agent beside Debian's collectd and netdata",
    run: benchFootprint,
  },
  {
    name: "mms",
    what: "the likelihood ratio against the described filter, causes and incidents, on labelled faults",
    run: benchMms,
  },
  {
    name: "savings",
    what: "the estimate of the realized saving against the plant's own books",
    run: benchSavings,
  },
  {
    name: "season",
    what: "false alarms and faults found before a warm season, in it, and after retraining",
    run: benchSeason,
  },
  {
    name: "dashboard",
    what: "first paint, size, missed frames and memory of the dashboard, in Chromium",
    run: benchDashboard,
  },
  {
    name: "rollout",
    what: "a model to a thousand agents: from the order to the last acknowledgement; guard ticks missed",
    run: benchRollout,
  },
  {
    name: "optimizer",
    what: "fixed setpoints, the described policy, ours and an oracle on the closed-loop plant",
    run: benchOptimizer,
  },
  { name: "pipeline", what: "messages through broker, ingest, store and MMS", run: benchPipeline },
];

const program = new Command("bench")
  .description("measures Skadi on this machine; without a name, everything")
  .argument("[names...]", BENCHES.map(({ name, what }) => `${name}: ${what}`).join("; "))
  .option(
    "--minutes <n>",
    "reaction: soak for so long at the true periods; dashboard, footprint: watch memory for so long",
    numberOption(0.1, 10_000),
  )
  .option("--days <n>", "savings, optimizer: simulated days (per seed)", integerOption(2, 60))
  .option("--seeds <list>", "mms, savings, season, optimizer: seeds such as 1-20 or 3,7", seedList)
  .option("--resume <file>", "optimizer: keep what is finished there, and go on from what is there already")
  .option("--fit", "mms: learn what causes look like from the seeds (default 101-112) instead of measuring")
  .option("--agents <n>", "rollout: how many", integerOption(1, 5_000))
  .option(
    "--json",
    "reaction, mms, savings, season, rollout, optimizer: end with one line of JSON that holds every figure",
  )
  .action(async (names: string[], options: BenchOptions) => {
    const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
    if (unknown.length > 0)
      program.error(`no bench ${unknown.join(", ")}; there are ${BENCHES.map((b) => b.name).join(", ")}`);
    for (const { name, run } of BENCHES) {
      if (names.length > 0 && !names.includes(name)) continue;
      if (!options.json) process.stdout.write(`\n== ${name} ==\n`);
      await run(options);
    }
  });

await runCli(program, process.argv);
