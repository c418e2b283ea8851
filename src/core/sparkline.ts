const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** A change of less than this share of the largest value looks flat: every size moves a little. */
const SMALLEST_SPAN = 0.1;

/** As many as still read as a curve in a cell of a table. */
const MOST_POINTS = 12;

/** A curve as text, newest last: `▁▃▅█`. A single value and values that are all alike give bars of half height. */
export function sparkline(values: readonly number[]): string {
  const shown = values.filter(Number.isFinite).slice(-MOST_POINTS);
  if (shown.length === 0) return '';
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  if (low === high) return shown.map(() => BARS[3]).join('');
  const span = Math.max(high - low, Math.abs(high) * SMALLEST_SPAN);
  const bottom = (low + high - span) / 2;
  return shown.map((value) => barAt((value - bottom) / span)).join('');
}

/** @param height from 0 to 1 */
function barAt(height: number): string {
  return BARS[Math.round(height * (BARS.length - 1))] ?? '';
}
