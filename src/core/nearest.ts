/** More changes than this make another word of it. */
const MOST_CHANGES = 2;

/** The name that somebody most likely meant who wrote `typed`; undefined when none is near. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const near = names
    .map((name) => ({ name, changes: changesBetween(typed, name) }))
    .filter(({ name, changes }) => changes <= Math.min(MOST_CHANGES, name.length / 2));
  return near.toSorted((a, b) => a.changes - b.changes)[0]?.name;
}

/** Letters inserted, removed or replaced, and neighbours exchanged. */
function changesBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const [left = 0, above = 0, diagonal = 0] = [row[j - 1], last[j], last[j - 1]];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(left + 1, above + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1), swapped));
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
