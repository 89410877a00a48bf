/**
 * Takes one model after another as an agent would, as fast as it can, until it is killed. Each answer is a line on
 * standard output: the manifest's counter and the model's id.
 *
 * Arguments: the cache folder, a private key (PEM), model files.
 */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { modelFiles } from "../../agent/models/cache.ts";
import { openModelSlot } from "../../agent/models/slot.ts";
import { openTrust } from "../../agent/models/trust.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { keyId } from "../../shared/signing.ts";
import { systemClock } from "../../shared/time.ts";
import { keyPair, keyRingOf, manifestOf } from "./signed-manifests.ts";

const [cache_dir = "", key_file = "", ...model_files] = process.argv.slice(2);
const privateKey = createPrivateKey(readFileSync(key_file));
const publicKey = createPublicKey(privateKey);
const key = { id: keyId(publicKey), privateKey, publicKey };
const models = model_files.map((file) => JSON.parse(readFileSync(file, "utf8")));
const { model: config } = AgentConfig.parse({ rack_id: "R-A-01", model: { cache_dir } });
const files = modelFiles({ rack_id: "R-A-01", model: config });
const onProblem = (rejections: object[]) => console.error(JSON.stringify(rejections));

const slot = openModelSlot({
  rack_id: "R-A-01",
  files,
  config,
  score_s: 5,
  trust: openTrust({ file: files.keys, pinned: publicKey, onProblem }),
  clock: systemClock(),
  listen: () => () => {},
  onAnswer({ counter, model_id, rejections }) {
    if (rejections.length > 0) onProblem(rejections);
    console.log(counter, model_id);
    setImmediate(next);
  },
  onSwap() {},
  onNews() {},
  onKeys() {},
  onProblem,
});

function next(): void {
  const counter = (slot.manifest?.counter ?? 0) + 1;
  slot.offerKeys(keyRingOf([key, keyPair()], counter, key));
  slot.offer(manifestOf(models[counter % models.length], counter, key));
}

next();
