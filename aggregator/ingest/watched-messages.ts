import { parseUpTopic } from "../../shared/contracts/topics.ts";
import type { Stopwatch } from "../../shared/metrics.ts";
import type { Traces } from "../traces/traces.ts";

type Handler = (topic: string, payload: Uint8Array) => void;

/** Times the handling of every message and, where traces are wanted, makes it a span. */
export function watchMessages(handle: Handler, took: Stopwatch, traces: Traces | null): Handler {
  return (topic, payload) => {
    const up = parseUpTopic(topic);
    const span = traces?.begin("consumer", `process ${up?.channel ?? "message"}`, {
      "messaging.system": "mqtt",
      "messaging.operation.type": "process",
      "messaging.destination.name": topic,
      "messaging.message.body.size": payload.byteLength,
      ...(up && { "skadi.rack_id": up.rack_id }),
    });
    const began = performance.now();
    let failed = true;
    try {
      handle(topic, payload);
      failed = false;
    } finally {
      took((performance.now() - began) / 1000);
      span?.end({ failed });
    }
  };
}
