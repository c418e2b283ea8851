import { z } from 'zod';
import type { Finding, Report, Verdict } from './report.ts';
import { type Group, groupOf } from './rule-groups.ts';

/** How a verdict relates to the one before it, of the same action and sources. */
export const Change = z.enum(['broke', 'still-broken', 'recovered', 'still-well']);
export type Change = z.output<typeof Change>;

/** When somebody wants to hear of a run. */
export const notifyOn = ['failure', 'change', 'always'] as const;
export type NotifyOn = (typeof notifyOn)[number];

/** How things stood after a run: what the next one compares itself with. */
export const Standing = z.object({
  format: z.literal(1),
  well: z.boolean(),
  /** Of the rules that were not well. */
  groups: z.array(z.string()).default([]),
  /** Moment of the first run of this row of equal ones. */
  since: z.iso.datetime(),
  /** Who could not be told of the last change, and has to be yet; no secret. */
  owed: z.array(z.string()),
});
export type Standing = z.output<typeof Standing>;

/** `warn` is well: the step is green. */
export function isWell(verdict: Verdict): boolean {
  return verdict === 'pass' || verdict === 'warn';
}

/** Without a memory a failure is a new one, and success is no news. So is a failure of another kind on top of one. */
export function changeSince(before: Pick<Standing, 'well' | 'groups'> | undefined, report: Judged): Change {
  const wasWell = before?.well ?? true;
  if (isWell(report.verdict)) return wasWell ? 'still-well' : 'recovered';
  const isNews = wasWell || brokenGroups(report).some((group) => !before?.groups.includes(group));
  return isNews ? 'broke' : 'still-broken';
}

export type Judged = Pick<Report, 'verdict' | 'findings'>;

function brokenGroups({ findings }: Judged): Group[] {
  const isBad = ({ status }: Finding) => !isWell(status);
  return [...new Set(findings.filter(isBad).map(({ rule }) => groupOf[rule]))].toSorted();
}

/**
 * How things stand after this run.
 *
 * @param owed who could not be told of it
 */
export function nextStanding(
  before: Standing | undefined,
  report: Judged,
  { now, owed }: { readonly now: Date; readonly owed: readonly string[] },
): Standing {
  const well = isWell(report.verdict);
  const since = before?.well === well ? before.since : now.toISOString();
  return { format: 1, well, groups: brokenGroups(report), since, owed: [...owed] };
}

/** What somebody is to hear who has not heard of the last change: that change, late. */
export function overdue(change: Change): Change {
  if (change === 'still-broken') return 'broke';
  return change === 'still-well' ? 'recovered' : change;
}

const wanted: Readonly<Record<NotifyOn, readonly Change[]>> = {
  failure: ['broke', 'still-broken'],
  change: ['broke', 'recovered'],
  always: Change.options,
};

export function isWanted(change: Change, on: NotifyOn): boolean {
  return wanted[on].includes(change);
}
