import type { Trial } from './fault.ts';

/** A Markdown table, a line for each fault: tried, how often it came in time, what came of it, survived, lost. */
export function tabulate(trials: readonly Trial[]): string {
  const lines = [...Map.groupBy(trials, ({ fault }) => fault)].map(([{ group, name, action }, tried]) =>
    row([group, `${action}: ${name}`, ...numbersOf(tried)]),
  );
  const head = ['Where', 'Fault', 'Tried', 'Hit', 'Went through', 'Ended red', 'Killed', 'Survived', 'Lost'];
  const total = row(['', 'All', ...numbersOf(trials)]);
  return [row(head), row(head.map((_, at) => (at < 2 ? '---' : '---:'))), ...lines, total].join('\n');
}

function numbersOf(tried: readonly Trial[]): string[] {
  const count = (is: (trial: Trial) => boolean) => String(tried.filter(is).length);
  return [
    String(tried.length),
    count(({ hit }) => hit),
    count(({ outcome }) => outcome === 'went through'),
    count(({ outcome }) => outcome === 'ended red'),
    count(({ outcome }) => outcome === 'was killed'),
    count(({ problems }) => problems.length === 0),
    count(({ problems }) => problems.length > 0),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
