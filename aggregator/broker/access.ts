import { PAYLOAD_MAX_BYTES } from "../../shared/contracts/parse.ts";
import { isDownTopic } from "../../shared/contracts/topics.ts";
import { type Rejection, reject } from "../../shared/errors.ts";

/** Models travel in manifests, so a message may be larger than a telemetry payload; nothing needs more than this. */
const MESSAGE_MAX_BYTES = 4 * 1024 * 1024 + PAYLOAD_MAX_BYTES;

/** What a status or a discovery message needs many times over. */
const RETAINED_MAX_BYTES = 16 * 1024;
/** The broker keeps retained messages in memory for as long as it runs. */
const RETAINED_TOPICS_MAX = 5_000;

export interface Publish {
  topic: string;
  bytes: number;
  /** By the holder of the site's token. */
  trusted: boolean;
  /** To be kept for later subscribers. */
  retained: boolean;
  /** Topics that others than the token's holder have a retained message on already. */
  retained_topics: ReadonlySet<string>;
}

/** What the embedded broker says to a publish: null lets it through. */
export function refusePublish(publish: Publish): Rejection | null {
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
  return publish.retained && !trusted ? refuseRetained(publish) : null;
}

function refuseRetained({ topic, bytes, retained_topics }: Publish): Rejection | null {
  if (bytes > RETAINED_MAX_BYTES) {
    const expected = `≤ ${RETAINED_MAX_BYTES} bytes in a retained message`;
    return reject("SKADI_PAYLOAD_TOO_LARGE", { field: "(payload)", value: `${bytes} bytes`, expected });
  }
  if (retained_topics.has(topic) || retained_topics.size < RETAINED_TOPICS_MAX) return null;
  const expected = `the site's token: others have retained messages on ${RETAINED_TOPICS_MAX} topics already`;
  return reject("SKADI_UNAUTHORIZED", { field: "topic", value: topic, expected });
}
