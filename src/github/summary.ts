import { type Finding, type Report, type Status, type Table, type Trend, worstFirst } from '../core/report.ts';
import { folded, inline, markdownTable } from './markdown.ts';

/** GitHub drops a summary above 1 MiB as a whole, and the step stays green. */
const MAX_BYTES = 1_000_000;
const MAX_FINDINGS = 100;
const MAX_NOTICES = 20;
const MAX_ROWS = 1_000;
/** Larger ones and very small ones are written with an exponent, which mermaid cannot read. */
const MAX_VALUE = 1e18;

const icons: Record<Status, string> = { pass: '✅', warn: '⚠️', fail: '❌', unknown: '❓' };

/** A space at which no line ends. */
const NARROW = '\u00a0';

interface Section {
  readonly name: string;
  readonly markdown: string;
}

/** The job summary: verdict first, then what is not well, then numbers, with details folded away. */
export function renderSummary(report: Report, maxBytes = MAX_BYTES): string {
  const findings = worstFirst(report.findings);
  const judged = findings.filter(({ status }) => status !== 'pass');
  const sections: Section[] = [
    { name: 'verdict', markdown: `## ${icons[report.verdict]} ${report.verdict}: ${inline(report.title)}` },
    { name: 'not told', markdown: notices(report.notices) },
    { name: 'findings', markdown: findingList(judged, maxBytes / 2) },
    { name: 'headline', markdown: headline(report.headline) },
    ...report.tables.map((table) => ({ name: table.title, markdown: tableSection(table) })),
    ...report.trends.map((trend) => ({ name: trend.title, markdown: trendSection(trend) })),
    { name: 'passed checks', markdown: passedChecks(findings.filter(({ status }) => status === 'pass')) },
  ];
  return joinWithin(
    sections.filter(({ markdown }) => markdown !== ''),
    maxBytes,
  );
}

/** Whole sections only: half a table or an open `<details>` would swallow what comes after it. */
function joinWithin(sections: readonly Section[], maxBytes: number): string {
  let room = maxBytes;
  const shown: string[] = [];
  const left: string[] = [];
  for (const { name, markdown } of sections) {
    const bytes = Buffer.byteLength(markdown) + 2;
    if (bytes > room - 2_000) {
      left.push(name);
      continue;
    }
    room -= bytes;
    shown.push(markdown);
  }
  const note = `Not shown, since GitHub takes no summary this large: ${left.map(inline).join(', ').slice(0, 1_500)}. The whole report is in the file that the output \`report-path\` names.`;
  return `${[...shown, ...(left.length > 0 ? [note] : [])].join('\n\n')}\n`;
}

/** As many as fit: long texts out of a database must not push the list out of the summary. */
function findingList(findings: readonly Finding[], maxBytes: number): string {
  const items: string[] = [];
  let bytes = 0;
  for (const finding of findings.slice(0, MAX_FINDINGS)) {
    const item = describeFinding(finding);
    bytes += Buffer.byteLength(item) + 1;
    if (bytes > maxBytes) break;
    items.push(item);
  }
  return [...items, ...andMore(findings.length, items.length, 'findings').map((line) => `- ${line}`)].join('\n');
}

/** An item of a list, with what else is known in items of its own. */
export function describeFinding(finding: Finding, details: readonly string[] = []): string {
  const where = finding.subject === undefined ? '' : ` — ${inline(finding.subject)}`;
  const first = `- ${icons[finding.status]} **${finding.status}** ${inline(finding.message)} (\`${finding.rule}\`${where})`;
  const hint = finding.hint === undefined ? [] : [`What to do: ${inline(finding.hint)}`];
  return [first, ...[...details, ...hint].map((line) => `  - ${line}`)].join('\n');
}

/** Near the top: somebody who relies on a message has to see here that none came. */
function notices(sentences: readonly string[]): string {
  return sentences
    .slice(0, MAX_NOTICES)
    .map((sentence) => `> **Not told:** ${inline(sentence)}`)
    .join('\n>\n');
}

function headline(pairs: Report['headline']): string {
  return pairs.map(({ name, value }) => `**${inline(name)}:** ${inline(value)}`).join(' · ');
}

function tableSection(table: Table): string {
  const rows = markdownTable(table.columns, table.rows.slice(0, MAX_ROWS).map(withSigns(table)));
  const body = [rows, ...andMore(table.rows.length, MAX_ROWS, 'rows')].join('\n\n');
  return table.folded === true
    ? folded(`${table.title} (${table.rows.length})`, body)
    : `### ${inline(table.title)}\n\n${body}`;
}

function withSigns({ columns }: Table): (row: readonly string[]) => string[] {
  return (row) =>
    row.map((cell, at) => {
      if (columns[at]?.verdict && isStatus(cell)) return `${icons[cell]}${NARROW}${cell}`;
      // A number and its unit stay on one line, however narrow the column.
      return columns[at]?.numeric ? cell.replaceAll(' ', NARROW) : cell;
    });
}

function isStatus(text: string): text is Status {
  return Object.hasOwn(icons, text);
}

function trendSection(trend: Trend): string {
  const points = trend.points
    .filter(({ value }) => Math.abs(value) <= MAX_VALUE)
    .map(({ label, value }) => ({ label, value: Math.round(value * 1e6) / 1e6 }));
  if (points.length === 0) return '';
  const table = markdownTable(
    [{ name: trend.title }, { name: trend.unit, numeric: true }],
    points.map(({ label, value }) => [label, String(value)]),
  );
  // One point draws an empty box.
  if (points.length === 1) return `### ${inline(trend.title)}\n\n${table}`;
  return [`### ${inline(trend.title)}`, chart(trend, points), folded('The same as a table', table)].join('\n\n');
}

/**
 * Bars with numbers below: dates would run into each other, and mermaid draws two of one name as one. The title of the
 * axis says from when to when. Wide and low, in a blue that can be seen on light and dark.
 */
function chart(trend: Trend, points: Trend['points']): string {
  const top = Math.max(...points.map(({ value }) => value), 0) * 1.1 || 1;
  const [first, last] = [points[0], points.at(-1)].map((point) => point?.label ?? '');
  return [
    '```mermaid',
    '---',
    'config:',
    '  xyChart:',
    '    width: 800',
    '    height: 260',
    '  themeVariables:',
    '    xyChart:',
    '      backgroundColor: transparent',
    "      plotColorPalette: '#4493f8'",
    '---',
    'xychart-beta',
    `    x-axis ${quoted(`${first} to ${last}`)} [${points.map((_, at) => quoted(String(at + 1))).join(', ')}]`,
    `    y-axis ${quoted(trend.unit)} 0 --> ${Number(top.toPrecision(3))}`,
    `    bar [${points.map(({ value }) => Math.max(0, value)).join(', ')}]`,
    '```',
  ].join('\n');
}

/** Mermaid has no escape for a quote inside quotes; what could end the string or the fence goes. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\p{L}\p{N} .,:/%()+-]/gu, ' ').slice(0, 60)}"`;
}

function passedChecks(findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const rows = findings.slice(0, MAX_ROWS).map(({ rule, message, subject }) => [`\`${rule}\``, message, subject ?? '']);
  const table = markdownTable([{ name: 'Check' }, { name: 'What was found' }, { name: 'Where' }], rows);
  const title = `✅ ${findings.length} ${findings.length === 1 ? 'check' : 'checks'} passed`;
  return folded(title, [table, ...andMore(findings.length, MAX_ROWS, 'checks')].join('\n\n'));
}

function andMore(total: number, shown: number, what: string): string[] {
  return total > shown ? [`… and ${total - shown} more ${what}, all in the JSON report.`] : [];
}
