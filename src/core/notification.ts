import { z } from 'zod';
import { Change, isWell } from './change.ts';
import { RunInfo } from './manifest.ts';
import { clip } from './plain-text.ts';
import { Finding, type Report, Status, worstFirst } from './report.ts';

/** What receivers of `webhook+https://` get, and what every message is written from. Plain text, nothing escaped. */
export const Notification = z.object({
  format: z.literal(1),
  id: z.string().meta({ description: 'Another one for each message; the same when one is sent twice.' }),
  sentAt: z.iso.datetime().meta({ description: 'Signed with the rest: refuse a message that is too old.' }),
  verdict: Status.meta({ description: 'Of this run. `fail` and `unknown` are failures.' }),
  change: Change.meta({ description: 'Against the run before.' }),
  failingSince: z.iso
    .datetime()
    .nullable()
    .meta({ description: 'First run of the failure that goes on or has just ended; null where there is none.' }),
  action: z.string().meta({ description: 'E.g. `backup`.' }),
  sources: z.array(z.string()).meta({ description: 'Sources that were worked on, a hundred at most.' }),
  title: z.string().meta({ description: 'Of the report.' }),
  headline: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .meta({ description: 'What stands under the verdict in the job summary.' }),
  findings: z.array(Finding).meta({ description: 'What is not `pass`, the worst first.' }),
  findingsLeftOut: z.int().meta({ description: 'How many more there are.' }),
  run: RunInfo.meta({ description: 'Where it ran; empty from a terminal.' }),
});
export type Notification = z.output<typeof Notification>;

/** 256 KiB, what receivers such as API gateways and queues commonly take. */
const MAX_BYTES = 262_144;
const MAX_FINDINGS = 50;
const MAX_SOURCES = 100;
const MAX_PAIRS = 20;
/** Longest piece of text, in characters; the rest is in the report. */
const LONGEST = 2_000;

export interface Occasion {
  readonly id: string;
  readonly action: string;
  readonly change: Change;
  readonly failingSince: string | undefined;
  readonly run: RunInfo;
  readonly now: Date;
}

/** Puts a report into the form in which it is told; long texts and lists are cut, and it is said how much is missing. */
export function notificationOf(report: Report, occasion: Occasion): Notification {
  const { id, action, change, failingSince, run, now } = occasion;
  const judged = worstFirst(report.findings).filter(({ status }) => status !== 'pass');
  const whole: Notification = {
    format: 1,
    id,
    sentAt: now.toISOString(),
    verdict: report.verdict,
    change,
    failingSince: failingSince ?? null,
    action,
    sources: report.sources.slice(0, MAX_SOURCES),
    title: clip(report.title, LONGEST),
    headline: report.headline.slice(0, MAX_PAIRS).map(({ name, value }) => ({
      name: clip(name, LONGEST),
      value: clip(value, LONGEST),
    })),
    findings: judged.slice(0, MAX_FINDINGS).map(cut),
    findingsLeftOut: Math.max(0, judged.length - MAX_FINDINGS),
    run,
  };
  return withinBytes(whole);
}

function cut(finding: Finding): Finding {
  const { subject, hint } = finding;
  return {
    ...finding,
    message: clip(finding.message, LONGEST),
    ...(subject !== undefined && { subject: clip(subject, LONGEST) }),
    ...(hint !== undefined && { hint: clip(hint, LONGEST) }),
  };
}

function withinBytes(notification: Notification): Notification {
  const { findings, findingsLeftOut } = notification;
  if (findings.length === 0 || Buffer.byteLength(JSON.stringify(notification)) <= MAX_BYTES) return notification;
  return withinBytes({ ...notification, findings: findings.slice(0, -1), findingsLeftOut: findingsLeftOut + 1 });
}

/** `fail: Freshness of orders`; after a failure `recovered: …`. */
export function headOf({ verdict, change, title }: Notification): string {
  return `${change === 'recovered' ? 'recovered' : verdict}: ${title}`;
}

/** What changed, as a sentence; nothing where all is as well as it was. */
export function changeSentence({ change, failingSince }: Notification): string {
  const since = failingSince === null ? undefined : minuteOf(failingSince);
  if (change === 'broke') return 'This is new: the run before was well, or there was none.';
  if (change === 'still-broken') return since === undefined ? 'It failed before, too.' : `Failing since ${since}.`;
  if (change === 'still-well') return '';
  return since === undefined ? 'It is well again.' : `It is well again; it had been failing since ${since}.`;
}

/** How many findings a message could not show. */
export function moreSentence({ findings, findingsLeftOut }: Notification, shown: number): string {
  const left = findings.length - shown + findingsLeftOut;
  if (left === 0) return '';
  return `… and ${left} more ${left === 1 ? 'finding' : 'findings'}, all in the report.`;
}

/** `backup in acme/operations`. */
export function placeOf({ action, run }: Notification): string {
  return run.repository === undefined ? action : `${action} in ${run.repository}`;
}

export function isFailure({ verdict }: Notification): boolean {
  return !isWell(verdict);
}

export const icons: Readonly<Record<Status, string>> = { pass: '✅', warn: '⚠️', fail: '❌', unknown: '❓' };

/** `2026-11-20 03:17 UTC` */
function minuteOf(moment: string): string {
  return `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`;
}
