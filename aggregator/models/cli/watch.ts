import { SingleBar } from "cli-progress";
import { RolloutView } from "../../../shared/contracts/rollout.ts";
import { SkadiError } from "../../../shared/errors.ts";
import type { AggregatorClient } from "../../cli/client.ts";

const LOOK_MS = 300;
const AWAY_MAX_MS = 60_000;

/**
 * Follows a rollout to its end. On standard error: its story line by line, and a progress bar where that is a terminal;
 * standard output stays free for the result.
 */
export async function watchRollout(api: AggregatorClient, first: RolloutView): Promise<RolloutView> {
  const bar = process.stderr.isTTY ? progressBar(first) : null;
  let told = 0;
  const tell = (rollout: RolloutView) => {
    for (const { ts, text } of rollout.story.slice(told)) {
      // A bar on a terminal is wiped by the line and drawn anew below it.
      const wipe = bar ? "\r\u001b[K" : "";
      process.stderr.write(`${wipe}${ts}  ${text}\n`);
    }
    told = rollout.story.length;
    bar?.update(rollout.racks.accepted.length, { stage: stageOf(rollout) });
  };
  let away_since: number | null = null;
  /** null: nobody answers just now, since the aggregator restarts, which a rollout survives. */
  const look = async () => {
    try {
      const seen = await api.get(`/rollouts/${encodeURIComponent(first.id)}`, RolloutView);
      away_since = null;
      return seen;
    } catch (error) {
      away_since ??= performance.now();
      const nobody = error instanceof SkadiError && error.code === "SKADI_NO_AGGREGATOR";
      if (!nobody || performance.now() - away_since > AWAY_MAX_MS) throw error;
      return null;
    }
  };
  try {
    let rollout = first;
    tell(rollout);
    while (rollout.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const seen = await look();
      if (!seen) continue;
      rollout = seen;
      tell(rollout);
    }
    return rollout;
  } finally {
    bar?.stop();
  }
}

function progressBar({ racks, model_id }: RolloutView): SingleBar {
  const format = `${model_id} {bar} {value}/{total} racks | {stage}`;
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, linewrap: false });
  bar.start(racks.total, racks.accepted.length, { stage: "" });
  return bar;
}

/** Where it stands, in a few words. */
function stageOf({ state, gated, waves, racks }: RolloutView): string {
  if (state !== "running") return state.replace("_", " ");
  const away = racks.offline.length > 0 ? `, ${racks.offline.length} offline` : "";
  const i = waves.findIndex(({ state: of_wave }) => of_wave === "offered" || of_wave === "soaking");
  const wave = waves[i];
  if (!gated || !wave) return `running${away}`;
  const name = i === 0 ? "canary" : `wave ${i} of ${waves.length - 1}`;
  const until = wave.soaks_until ? ` until ${wave.soaks_until.slice(11, 19)} UTC` : "";
  return `${name} ${wave.state}${until}${away}`;
}
