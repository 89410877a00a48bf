/** How many letters must be changed, added or left out to make one of the other (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let k = 1; k <= b.length; k++) {
      const replaced = above[k - 1]! + (a[i - 1] === b[k - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[k]! + 1, row[k - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}

const SUGGESTIONS = 3;

/** The same for ids that lists show in short: in full where several look the same in short. */
export function nearestId(asked: string, ids: readonly string[], short: (id: string) => string): string[] {
  const alike = ids.filter((id) => short(id) === asked);
  return alike.length > 0 ? alike.slice(0, SUGGESTIONS) : nearest(asked, [...ids, ...ids.map(short)]);
}

/** Of the known names those that the asked one may have been meant for, the nearest first; at most three. */
export function nearest(asked: string, known: readonly string[]): string[] {
  // A third of the letters wrong is no slip any more.
  const limit = Math.max(2, Math.floor(asked.length / 3));
  return known
    .map((name) => ({ name, distance: editDistance(asked.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name);
}

/**
 * The one name that is `asked` or, if none is, the one that is so in short, begins or ends so; null if none or several
 * are.
 */
export function resolve(
  asked: string,
  known: readonly string[],
  short: (name: string) => string,
): string | null {
  if (known.includes(asked)) return asked;
  const alike = known.filter((name) => short(name) === asked);
  if (alike.length > 0) return alike.length === 1 ? alike[0]! : null;
  const fitting =
    asked.length < 4 ? [] : known.filter((name) => name.startsWith(asked) || name.endsWith(asked));
  return fitting.length === 1 ? fitting[0]! : null;
}
