import { formatDuration } from '../core/duration.ts';
import { nextSteps } from '../core/next-steps.ts';
import { clip, oneLine } from '../core/plain-text.ts';
import type { Finding } from '../core/report.ts';
import { groups } from '../core/rule-groups.ts';
import { ALL, type Trouble } from './issue-groups.ts';
import { type IssueKey, type IssueMarker, lengthAround, putBlock } from './issue-marker.ts';
import { inline } from './markdown.ts';
import { describeFinding } from './summary.ts';

/** GitHub takes no body or comment above 65,536 characters. */
const LONGEST_BODY = 65_536;
/** A comment repeats the first lines of what the issue says; the whole stands there. */
const LONGEST_COMMENT = 4_000;
/** GitHub takes 256 characters. */
const LONGEST_TITLE = 160;

/** What is wrong, in a line of a list of issues: `orders: newest backup is 3d old`. */
export function titleOf({ key, findings: [worst] }: Trouble): string {
  const about = key.source === ALL ? 'Backups' : key.source;
  const text = worst === undefined ? groups[key.group] : sayShortly(worst, key);
  const line = oneLine(text).replace(/\.$/, '');
  const title = `${about}: ${line.length > LONGEST_TITLE ? `${line.slice(0, LONGEST_TITLE).toWellFormed()}…` : line}`;
  // A title is plain text, but feeds and mails make links of names.
  return title.replaceAll(/@(?=\w)/g, '@\u200b');
}

function sayShortly({ rule, message, numbers }: Finding, { source, action }: IssueKey): string {
  const ageSeconds = numbers?.ageSeconds;
  if (rule === 'backup-age' && ageSeconds !== undefined) {
    return `newest backup is ${formatDuration(ageSeconds * 1000)} old`;
  }
  const [first = ''] = message.split(/(?<=\.)\s|\n/);
  if (rule === 'run-failed') return `${action} could not be done: ${first}`;
  return first.startsWith(`${source}: `) ? first.slice(source.length + 2) : first;
}

export interface Telling {
  readonly trouble: Trouble;
  readonly marker: IssueMarker;
  /** Link to the run; undefined outside of one. */
  readonly run: string | undefined;
  readonly now: Date;
}

/** The body of an issue: our block in place of the one before it, cut by whole findings to what GitHub takes. */
export function bodyOf(before: string, { trouble, marker, run, now }: Telling): string {
  const status = statusOf(marker, run, now, 'open');
  const steps = ['#### What to do next', '', ...nextSteps[trouble.key.group].map((step, at) => `${at + 1}. ${step}`)];
  const head = [`### ${groups[trouble.key.group]}`, '', status, '', '#### What was found', '', ''].join('\n');
  const tail = ['', '', ...steps, '', FOOTNOTE].join('\n');
  const room = LONGEST_BODY - lengthAround(before, marker) - head.length - tail.length;
  return putBlock(before, marker, `${head}${findingsWithin(trouble.findings, room)}${tail}`);
}

const FOOTNOTE =
  '<sub>Lifeboat keeps this block up to date and closes the issue when it is over. What you write above, below or in comments stays.</sub>';

/** The same when it is over: what it was is told by the comments. */
export function closedBodyOf(before: string, marker: IssueMarker, run: string | undefined, now: Date): string {
  return putBlock(before, marker, `### Over: ${groups[marker.group]}\n\n${statusOf(marker, run, now, 'over')}`);
}

function statusOf(marker: IssueMarker, run: string | undefined, now: Date, state: 'open' | 'over'): string {
  const lastedMs = now.getTime() - new Date(marker.since).getTime();
  const lasted = lastedMs < 60_000 ? '' : ` (${formatDuration(lastedMs)})`;
  const pairs = [
    ['Source', marker.source === ALL ? 'not of one source' : `\`${marker.source}\``],
    ['Found by', `\`${marker.action}\``],
    ['Since', `${minute(new Date(marker.since))}${lasted}`],
    ['Seen in', marker.runs === 1 ? '1 run' : `${marker.runs} runs`],
    ...(marker.returns === 0 ? [] : [['Came back', marker.returns === 1 ? 'once' : `${marker.returns} times`]]),
    [
      state === 'open' ? 'Last seen' : 'Over since',
      `${minute(now)}${run === undefined ? '' : ` in [this run](${run})`}`,
    ],
  ];
  return pairs.map(([name, value]) => `**${name}:** ${value}`).join(' · ');
}

/** Whole findings only, as many as fit, and how many did not. */
function findingsWithin(findings: readonly Finding[], room: number): string {
  const shown: string[] = [];
  let left = room - 100;
  for (const finding of findings) {
    const item = withNumbers(finding);
    left -= item.length + 1;
    if (left < 0) break;
    shown.push(item);
  }
  const more = findings.length - shown.length;
  return [...shown, ...(more > 0 ? [`- … and ${more} more, all in the JSON report of the run.`] : [])].join('\n');
}

function withNumbers(finding: Finding): string {
  const numbers = Object.entries(finding.numbers ?? {}).map(([name, value]) => `${inline(name)} ${value}`);
  return describeFinding(finding, numbers.length === 0 ? [] : [`Numbers: ${numbers.join(', ')}`]);
}

/** Said once a day at most while it goes on. */
export function stillComment({ trouble, marker, run, now }: Telling): string {
  const lasted = lastedUntil(now, marker);
  const head = `Still not well after ${lasted}, seen in ${marker.runs} runs.${linkTo(run)}\n\n`;
  return head + findingsWithin(trouble.findings, LONGEST_COMMENT - head.length);
}

export function returnComment({ trouble, run }: Telling): string {
  const head = `It is back.${linkTo(run)}\n\n`;
  return head + findingsWithin(trouble.findings, LONGEST_COMMENT - head.length);
}

export function overComment(marker: IssueMarker, run: string | undefined, now: Date): string {
  const lasted = lastedUntil(now, marker);
  return `It is over: the last run of \`${marker.action}\` found nothing of this any more. It lasted ${lasted}.${linkTo(run)}`;
}

/** For an issue that another job opened at the same moment, a lower number first. */
export function duplicateBody(first: number): string {
  return `Two jobs saw the same at once. It is told in #${first}.`;
}

function lastedUntil(now: Date, { since }: IssueMarker): string {
  return formatDuration(Math.max(0, now.getTime() - new Date(since).getTime()));
}

function linkTo(run: string | undefined): string {
  return run === undefined ? '' : ` [The run](${run}).`;
}

function minute(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** For labels and names of people, which come from inputs. */
export function listed(names: readonly string[]): string {
  return names.map((name) => clip(oneLine(name), 100)).join(', ');
}
