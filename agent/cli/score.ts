import { readFileSync } from "node:fs";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { TelemetrySample } from "../../shared/contracts/telemetry.ts";
import { SkadiError, skadiError } from "../../shared/errors.ts";
import { believed } from "../../shared/ims/believed.ts";
import { readModelFile } from "../../shared/ims/model-file.ts";
import { createScorer, scoreTelemetry, topContributions } from "../../shared/ims/score.ts";

/** `skadi-agent score`: what a model says of one sample, and why. */
export async function score(flags: { model: string; sample: string; json?: boolean }): Promise<void> {
  const model = readModelFile(flags.model);
  if (!model.ok) throw new SkadiError(model.rejections);
  const sample = parsePayload(TelemetrySample, readFileSync(flags.sample === "-" ? 0 : flags.sample));
  if (!sample.ok) throw new SkadiError(sample.rejections);
  const result = scoreTelemetry(createScorer(model.value), believed(sample.value), "agent");
  if (!result)
    throw skadiError("SKADI_INVALID_FIELD", { field: "(payload)", expected: "at least one feature" });
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const why = topContributions(result.contributions, 3)
    .map((c) => `${c.feature} ${(100 * c.share).toFixed(0)} %`)
    .join(", ");
  process.stdout.write(
    `${result.rack_id}: D ${result.d.toFixed(3)} (${result.state}; tau_fast ${result.tau_fast.toFixed(3)}, tau_persist ${result.tau_persist.toFixed(3)})\n  because of ${why}\n`,
  );
}
