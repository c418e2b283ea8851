import { oneLine, visible } from './plain-text.ts';
import { type Finding, type Report, type Table, worstFirst } from './report.ts';

/** What a summary folds is shown up to this length; a terminal cannot unfold. */
const SHORT = 20;
/** Columns that a cell of sentences takes: with the others, a row fits a terminal. */
const WRAPPED = 64;

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
  const head = [table.columns.map(({ name }) => name)];
  const rows = [...head, ...table.rows.flatMap((row) => linesOf(row.map(oneLine), table.columns))];
  const widths = table.columns.map((_, at) => rows.reduce((most, row) => Math.max(most, (row[at] ?? '').length), 0));
  const line = (row: readonly string[]) =>
    table.columns
      .map(({ numeric }, at) => pad(row[at] ?? '', widths[at] ?? 0, numeric === true))
      .join('  ')
      .trimEnd();
  return [oneLine(table.title), ...rows.map((row) => `  ${line(row)}`)].join('\n');
}

/** The lines that a row takes: several where a cell of sentences is long. */
function linesOf(row: readonly string[], columns: Table['columns']): string[][] {
  const cells = row.map((cell, at) => (columns[at]?.wraps === true ? broken(cell, WRAPPED) : [cell]));
  const most = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: most }, (_, at) => cells.map((lines) => lines[at] ?? ''));
}

/** Breaks between words; a word that is longer stays whole. */
function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function elsewhere({ title, rows }: Table): string {
  return `${oneLine(title)}: ${rows.length.toLocaleString('en-US')} rows, in the JSON report (\`--json\`, or the file of \`report-path\`).`;
}

function pad(cell: string, width: number, toTheRight: boolean): string {
  return toTheRight ? cell.padStart(width) : cell.padEnd(width);
}
