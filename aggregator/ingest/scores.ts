import { parsePayload } from "../../shared/contracts/parse.ts";
import { Score } from "../../shared/contracts/score.ts";
import { upTopic } from "../../shared/contracts/topics.ts";
import type { Counters } from "../counters.ts";
import type { EventBus } from "../events.ts";
import type { Fleet, Rack } from "../fleet.ts";
import type { Mms } from "../mms/mms.ts";
import type { Store } from "../store/store.ts";
import type { Rejections } from "./rejections.ts";
import { findRack } from "./site.ts";
import { nextSlowD } from "./slow-d.ts";

export interface ScoreIngest {
  /** A score that an agent published. */
  fromMqtt(topic_rack: string, payload: Uint8Array): void;
  /** A score that was computed here, for a sample that was just stored: joined and published. */
  fromAggregator(rack: Rack, score: Score): void;
}

interface ScoreContext {
  site: string;
  fleet: Fleet;
  store: Store;
  counters: Counters;
  events: EventBus;
  rejections: Rejections;
  mms: Mms;
  publish: (topic: string, message: object) => void;
  onScore: (rack: Rack, score: Score) => void;
}

/** parse → known rack → join to its sample → MMS → events. */
export function scoreIngest(context: ScoreContext): ScoreIngest {
  const { fleet, store, counters, rejections } = context;
  return {
    fromMqtt(topic_rack, payload) {
      const parsed = parsePayload(Score, payload);
      if (!parsed.ok) return rejections.refuse(topic_rack, "score", parsed.rejections);
      const score = parsed.value;
      // Our own publications come back to us; they were joined before they left.
      if (score.scored_by === "aggregator") return;
      const rack = findRack(fleet, score.rack_id, topic_rack);
      if (!rack.ok) return rejections.refuse(topic_rack, "score", rack.rejections);
      const sample = store.samples.find(score.rack_id, score.seq);
      if (!sample) {
        counters.scores_orphan++;
        return;
      }
      if (sample.scored) {
        counters.scores_second++;
        return;
      }
      counters.scores_agent++;
      join(rack.value, score, sample.late, context);
    },
    fromAggregator(rack, score) {
      counters.scores_aggregator++;
      join(rack, score, store.samples.find(score.rack_id, score.seq)?.late ?? false, context);
      context.publish(upTopic(context.site, rack.rack_id, "score"), score);
    },
  };
}

/** Only scores in order move MMS and the rack's present; the others complete its history. */
function join(rack: Rack, score: Score, late: boolean, { store, mms, events, onScore }: ScoreContext): void {
  const in_order = !late && (rack.last_scored_seq === null || score.seq > rack.last_scored_seq);
  store.samples.attachScore(score, in_order ? mms.feed(rack, score) : null);
  if (!in_order) return;
  rack.d_slow = nextSlowD(rack.d_slow, rack.score, score);
  rack.score = score;
  rack.last_scored_seq = score.seq;
  onScore(rack, score);
  events.publish("score", rack.rack_id, {
    seq: score.seq,
    d: score.d,
    state: score.state,
    mms: rack.mms?.state,
  });
}
