import { SAME_INSTANT_MS } from "./device.ts";

/** What one of several probes or devices says of a temperature now. */
export interface Part {
  /** null: it is silent. */
  value: number | null;
  /** When it said so, in milliseconds of the agent's clock; a word that still holds keeps its time. */
  at_ms: number;
  /** It counts, but no estimate rests on it. */
  suspect: boolean;
}

/** Less than good: `stale` rests in part on what a silent part said last, `suspect` may hide one that is hotter. */
export type Doubt = "stale" | "suspect";

/** What a part said last, and what the others said then. */
interface Word {
  at_ms: number;
  values: readonly (number | null)[];
}

/**
 * Keeps a field that several parts measure from looking cooler because one of them, perhaps the hottest, falls silent.
 * A silent part is taken to have moved as the others did since it spoke. One that never spoke, or whose place is not
 * known any more because the number of parts changed, leaves the values of the others, in doubt.
 *
 * @param empty_places of one list: a place that never spoke has no probe, rather than a silent one
 * @returns the values with the silent parts estimated; where nobody speaks, as they came
 */
export function silentParts(empty_places = false): (parts: readonly Part[]) => {
  values: (number | null)[];
  doubt: Doubt | undefined;
} {
  let words: (Word | undefined)[] = [];
  /** So many have spoken at once: with fewer, one is missing even if the device does not list it any more. */
  let most_speaking = 0;
  return (parts) => {
    const values = parts.map(({ value }) => value);
    const speaking = count(values);
    // A device that fails as a whole may not even tell how many parts it has: that is no reason to forget them.
    if (speaking === 0) return { values, doubt: undefined };
    if (words.length !== parts.length) words = parts.map(() => undefined);
    most_speaking = Math.max(most_speaking, speaking);
    const relied = parts.map(({ value, suspect }) => (suspect ? null : value));
    for (const [i, { at_ms }] of parts.entries()) {
      // Of a word that is held on to, the time counts at which it was new: the others may have moved since.
      const anew = Math.abs(at_ms - (words[i]?.at_ms ?? -Infinity)) >= SAME_INSTANT_MS;
      if (relied[i] !== null && anew) words[i] = { at_ms, values: relied };
    }
    const now = [...relied];
    for (const { i, word } of silentOnes(values, words)) {
      const estimated = word.values[i]! + movedSince(word, now);
      values[i] = estimated;
      now[i] = estimated;
    }
    const known = count(values);
    const expected = empty_places ? most_speaking : Math.max(parts.length, most_speaking);
    if (known < expected) return { values, doubt: "suspect" };
    return { values, doubt: known > speaking ? "stale" : undefined };
  };
}

function count(values: readonly (number | null)[]): number {
  return values.filter((value) => value !== null).length;
}

/** The last to fall silent first: with it estimated, one that fell silent earlier does not jump for its sake. */
function silentOnes(values: readonly (number | null)[], words: readonly (Word | undefined)[]) {
  return values
    .flatMap((value, i) => {
      const word = words[i];
      return value === null && word ? [{ i, word }] : [];
    })
    .sort((a, b) => b.word.at_ms - a.word.at_ms);
}

/** How far the parts that are known both then and now have moved, on average; 0 where there are none. */
function movedSince(word: Word, now: readonly (number | null)[]): number {
  const moves = word.values.flatMap((then, k) => {
    const value = now[k] ?? null;
    return then === null || value === null ? [] : [value - then];
  });
  return moves.length === 0 ? 0 : moves.reduce((total, move) => total + move, 0) / moves.length;
}
