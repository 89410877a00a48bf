import { PAYLOAD_MAX_BYTES } from "../../shared/contracts/parse.ts";
import { isDownTopic } from "../../shared/contracts/topics.ts";
import { type Rejection, reject } from "../../shared/errors.ts";

/** Models travel in manifests, so a message may be larger than a telemetry payload; nothing needs more than this. */
const MESSAGE_MAX_BYTES = 4 * 1024 * 1024 + PAYLOAD_MAX_BYTES;

/** What the embedded broker says to a publish: null lets it through. */
export function refusePublish(publish: { topic: string; bytes: number; trusted: boolean }): Rejection | null {
  const { topic, bytes, trusted } = publish;
  if (isDownTopic(topic) && !trusted) {
    return reject("SKADI_UNAUTHORIZED", {
      field: "topic",
      value: topic,
      expected: "a publisher with the site's token",
    });
  }
  if (topic.startsWith("$SYS/")) {
    return reject("SKADI_UNAUTHORIZED", { field: "topic", value: topic, expected: "a topic outside $SYS" });
  }
  if (bytes > MESSAGE_MAX_BYTES) {
    const expected = `≤ ${MESSAGE_MAX_BYTES} bytes`;
    return reject("SKADI_PAYLOAD_TOO_LARGE", { field: "(payload)", value: `${bytes} bytes`, expected });
  }
  return null;
}
