import { enableCompileCache } from "node:module";
import { Command, InvalidArgumentError } from "commander";
import { integerOption, runCli } from "../../shared/cli.ts";
import { benchFaults } from "./faults.ts";
import { benchGenerate } from "./generate.ts";
import { benchIms } from "./ims.ts";
import type { BenchOptions } from "./options.ts";
import { benchPipeline } from "./pipeline.ts";
import { benchPlant } from "./plant.ts";
import { benchSavings } from "./savings.ts";
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
    run: benchFaults,
  },
  {
    name: "savings",
    what: "the estimate of the realized saving against the plant's own books",
    run: benchSavings,
  },
  { name: "pipeline", what: "messages through broker, ingest, store and MMS", run: benchPipeline },
];

const program = new Command("bench")
  .description("measures Skadi on this machine; without a name, everything")
  .argument("[names...]", BENCHES.map(({ name, what }) => `${name}: ${what}`).join("; "))
  .option("--days <n>", "simulated days, where a bench has a choice", integerOption(2, 60))
  .option("--seeds <list>", "seeds such as 1,2,3, where a bench has a choice", seedList)
  .option("--json", "end with one JSON line that holds every figure, where a bench has one")
  .action(async (names: string[], options: BenchOptions) => {
    const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
    if (unknown.length > 0)
      program.error(`no bench ${unknown.join(", ")}; there are ${BENCHES.map((b) => b.name).join(", ")}`);
    for (const { name, run } of BENCHES) {
      if (names.length > 0 && !names.includes(name)) continue;
      process.stdout.write(`\n== ${name} ==\n`);
      await run(options);
    }
  });

/** `1,2,3`. */
function seedList(text: string): number[] {
  const seeds = text.split(",").map(Number);
  if (seeds.every(Number.isInteger)) return seeds;
  throw new InvalidArgumentError("expected whole numbers such as 1,2,3");
}

await runCli(program, process.argv);
