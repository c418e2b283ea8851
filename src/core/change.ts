import { z } from 'zod';
import type { Verdict } from './report.ts';

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

/** Without a memory a failure is a new one, and success is no news. */
export function changeSince(before: Pick<Standing, 'well'> | undefined, verdict: Verdict): Change {
  const wasWell = before?.well ?? true;
  if (isWell(verdict)) return wasWell ? 'still-well' : 'recovered';
  return wasWell ? 'broke' : 'still-broken';
}

/**
 * How things stand after this run.
 *
 * @param owed who could not be told of it
 */
export function nextStanding(
  before: Standing | undefined,
  verdict: Verdict,
  { now, owed }: { readonly now: Date; readonly owed: readonly string[] },
): Standing {
  const well = isWell(verdict);
  const since = before?.well === well ? before.since : now.toISOString();
  return { format: 1, well, since, owed: [...owed] };
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
