import { Command, InvalidArgumentError } from "commander";
import { runCli } from "../../shared/cli.ts";
import { benchFaults } from "./faults.ts";
import { benchGenerate } from "./generate.ts";
import { benchIms } from "./ims.ts";
import { type BenchOptions, benchOptimizer } from "./optimizer.ts";
import { benchPipeline } from "./pipeline.ts";
import { benchPlant } from "./plant.ts";
import { benchSkab } from "./skab.ts";

const BENCHES: { name: string; what: string; run: (options: BenchOptions) => Promise<void> }[] = [
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
    name: "optimizer",
    what: "fixed setpoints, the described policy, ours and an oracle on the closed-loop plant",
    run: benchOptimizer,
  },
  { name: "pipeline", what: "messages through broker, ingest, store and MMS", run: benchPipeline },
];

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("expected a whole number from 1");
}

function seedList(text: string): number[] {
  return text.split(",").map(wholeNumber);
}

const program = new Command("bench")
  .description("measures Skadi on this machine; without a name, everything")
  .argument("[names...]", BENCHES.map(({ name, what }) => `${name}: ${what}`).join("; "))
  .option("--days <n>", "simulated days per seed (optimizer)", wholeNumber, 2)
  .option("--seeds <list>", "comma-separated seeds (optimizer)", seedList, [1, 2, 3, 4, 5])
  .option("--json", "print every figure as one last line of JSON (optimizer)", false)
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

await runCli(program, process.argv);
