import type { UpChannel } from "../../shared/contracts/topics.ts";

interface Letter {
  channel: UpChannel;
  payload: string;
}

/**
 * Messages that the broker has not acknowledged yet, oldest first. Bounded: when it is full, the oldest telemetry
 * or score gives way; decisions and acknowledgements are kept.
 */
export interface Outbox {
  add(letter: Letter): void;
  /** The next letter that is not on its way, or undefined; marks it as on its way. */
  take(): Letter | undefined;
  /** The broker has it. */
  confirm(letter: Letter): void;
  /** It will never arrive; counted as dropped. */
  lose(letter: Letter): void;
  readonly size: number;
  /** Messages lost because the outbox was full, or the client gave them up. */
  readonly dropped: number;
}

export function memoryOutbox(capacity: number): Outbox {
  // A Set keeps insertion order and deletes anywhere at constant cost.
  const waiting = new Set<Letter>();
  const under_way = new Set<Letter>();
  let dropped = 0;

  const makeRoom = () => {
    for (const letter of waiting) {
      if (letter.channel !== "telemetry" && letter.channel !== "score") continue;
      waiting.delete(letter);
      dropped++;
      return;
    }
  };
  return {
    add(letter) {
      if (waiting.size + under_way.size >= capacity) makeRoom();
      waiting.add(letter);
    },
    take() {
      for (const letter of waiting) {
        waiting.delete(letter);
        under_way.add(letter);
        return letter;
      }
      return undefined;
    },
    confirm(letter) {
      under_way.delete(letter);
    },
    lose(letter) {
      if (under_way.delete(letter)) dropped++;
    },
    get size() {
      return waiting.size + under_way.size;
    },
    get dropped() {
      return dropped;
    },
  };
}
