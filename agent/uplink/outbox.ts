import type { UpChannel } from "../../shared/contracts/topics.ts";

export interface Letter {
  readonly channel: UpChannel;
  readonly payload: string;
  /** Of telemetry and scores: the sample that they are or judge. */
  readonly seq?: number;
}

/**
 * What waits leaves in two lanes. `news` are actions and acknowledgements: a fresh alarm does not wait behind two
 * days of telemetry. `history` is telemetry and scores, which the aggregator wants in the order of their `seq`.
 */
export type Lane = "news" | "history";

export const LANES = ["news", "history"] as const satisfies readonly Lane[];

export function laneOf(channel: UpChannel): Lane {
  return channel === "telemetry" || channel === "score" ? "history" : "news";
}

/**
 * Messages that the broker has not acknowledged yet, oldest first within each lane. Bounded: when it is full,
 * history gives way before news. Every letter added is confirmed, waiting, rolled up or dropped, and counted as that.
 */
export interface Outbox {
  /** Never throws: what cannot be kept on disk is kept in memory, what cannot be kept at all is counted. */
  add(letter: Letter): void;
  /** The next letter of a lane that is not on its way, or undefined; marks it as on its way. */
  take(lane: Lane): Letter | undefined;
  /** The broker has it: the only way out, but for running out of room. */
  confirm(letter: Letter): void;
  /** The connection is lost: everything on its way waits again, in its old place. */
  giveBack(): void;
  close(): void;
  /** The highest `seq` of telemetry ever added, earlier runs included; 0 where none is known. */
  readonly last_seq: number;
  readonly size: number;
  /** How many of them a restart would lose, because they are not on disk. */
  readonly unsaved: number;
  /** Messages given up because there was no room. */
  readonly dropped: number;
  /** Messages that are now part of another, coarser one. */
  readonly rolled_up: number;
}

/** For simulated racks, whose past ends with the simulation. */
export function memoryOutbox(capacity: number): Outbox {
  // A Set keeps insertion order and deletes anywhere at constant cost.
  const waiting = { news: new Set<Letter>(), history: new Set<Letter>() };
  const under_way = { news: new Set<Letter>(), history: new Set<Letter>() };
  let dropped = 0;
  let last_seq = 0;
  const size = () => LANES.reduce((sum, lane) => sum + waiting[lane].size + under_way[lane].size, 0);

  return {
    add(letter) {
      if (letter.channel === "telemetry") last_seq = Math.max(last_seq, letter.seq ?? 0);
      const [oldest] = waiting.history;
      if (size() >= capacity && oldest) {
        waiting.history.delete(oldest);
        dropped++;
      }
      waiting[laneOf(letter.channel)].add(letter);
    },
    take(lane) {
      const [letter] = waiting[lane];
      if (!letter) return undefined;
      waiting[lane].delete(letter);
      under_way[lane].add(letter);
      return letter;
    },
    confirm(letter) {
      under_way[laneOf(letter.channel)].delete(letter);
    },
    giveBack() {
      for (const lane of LANES) {
        waiting[lane] = new Set([...under_way[lane], ...waiting[lane]]);
        under_way[lane].clear();
      }
    },
    close() {},
    get last_seq() {
      return last_seq;
    },
    get size() {
      return size();
    },
    get unsaved() {
      return size();
    },
    get dropped() {
      return dropped;
    },
    rolled_up: 0,
  };
}
