import { metrics } from '../src/core/metrics.ts';

/**
 * Fills the table of docs/METRICS.md, between `<!-- metrics -->` and `<!-- end -->`, from the closed list.
 *
 * @throws when the document has no place for it
 */
export function fillMetrics(text: string): string {
  const [before, , after] = /^([\s\S]*<!-- metrics -->\n)([\s\S]*?)(<!-- end -->[\s\S]*)$/.exec(text)?.slice(1) ?? [];
  if (before === undefined || after === undefined) throw new Error('docs/METRICS.md has no place for its table.');
  return `${before}\n${metricsTable()}\n\n${after}`;
}

function metricsTable(): string {
  const rows = Object.entries(metrics).map(([name, { help, labels }]) => {
    return `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
  });
  return ['| Metric | Labels | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
