/** Spikes and gaps are counted with this memory in windows: ten minutes of 5 s windows. */
const HABIT_MEMORY = 120;

/** So many of them, within the memory, are a habit and no accident. */
export const HABIT_COUNT = 2.5;

/** What is left of a count one window later. */
export function recall(count: number): number {
  return count * (1 - 1 / HABIT_MEMORY);
}
