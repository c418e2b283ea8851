import { oneLine, visible } from './plain-text.ts';
import { type Finding, type Report, type Table, worstFirst } from './report.ts';

/** What a summary folds is shown up to this length; a terminal cannot unfold. */
const SHORT = 20;

/** A report for a terminal or a log: verdict, findings, numbers, tables but long folded ones. */
export function renderText(report: Report): string {
  const findings = worstFirst(report.findings);
  const judged = findings.filter(({ status }) => status !== 'pass');
  const passed = findings.length - judged.length;
  const sections = [
    `${report.verdict.toUpperCase()}: ${oneLine(report.title)}`,
    report.notices.map((notice) => `Not told: ${indented(notice)}`).join('\n'),
    judged.map(describeFinding).join('\n'),
    report.headline.map(({ name, value }) => `${oneLine(name)}: ${oneLine(value)}`).join('\n'),
    ...report.tables.map((table) =>
      table.folded === true && table.rows.length > SHORT ? elsewhere(table) : textTable(table),
    ),
    passed === 0 ? '' : `${passed} ${passed === 1 ? 'check' : 'checks'} passed.`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

/** One finding and what to do about it. */
export function describeFinding(finding: Finding): string {
  const where = finding.subject === undefined ? '' : ` [${oneLine(finding.subject)}]`;
  const lines = `${finding.status} ${finding.rule}${where}: ${indented(finding.message)}`;
  return finding.hint === undefined ? lines : `${lines}\n  -> ${indented(finding.hint)}`;
}

function indented(text: string): string {
  return visible(text).replaceAll('\n', '\n  ');
}

function textTable(table: Table): string {
  const rows = [table.columns.map(({ name }) => name), ...table.rows].map((row) => row.map((cell) => oneLine(cell)));
  const widths = table.columns.map((_, at) => rows.reduce((most, row) => Math.max(most, (row[at] ?? '').length), 0));
  const line = (row: readonly string[]) =>
    table.columns
      .map(({ numeric }, at) => pad(row[at] ?? '', widths[at] ?? 0, numeric === true))
      .join('  ')
      .trimEnd();
  return [oneLine(table.title), ...rows.map((row) => `  ${line(row)}`)].join('\n');
}

function elsewhere({ title, rows }: Table): string {
  return `${oneLine(title)}: ${rows.length.toLocaleString('en-US')} rows, in the JSON report (\`--json\`, or the file of \`report-path\`).`;
}

function pad(cell: string, width: number, toTheRight: boolean): string {
  return toTheRight ? cell.padStart(width) : cell.padEnd(width);
}
