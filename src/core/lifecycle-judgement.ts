import { activePin, type CatalogBackup, isComplete } from './catalog.ts';
import type { CalendarDuration } from './duration.ts';
import { Failure } from './failure.ts';
import type { LifecycleRule, Store } from './ports.ts';
import { type Finding, finding } from './report.ts';
import type { RetentionPolicy } from './retention.ts';
import { describePolicy } from './retention-outlook.ts';

const DAY_MS = 86_400_000;
const DAYS_OF = { hourly: 1 / 24, daily: 1, weekly: 7, monthly: 31, yearly: 366 } as const;
const DOCUMENT = 'docs/S3.md, "Lifecycle rules"';

/** Rules of a bucket, or why they could not be read; undefined where a store has none. */
export type LifecycleReading = { readonly rules: readonly LifecycleRule[] } | { readonly failure: Failure } | undefined;

/** What a store holds of one source. */
export interface Holding {
  readonly source: string;
  readonly backups: readonly CatalogBackup[];
}

export interface LifecycleMatters {
  readonly holdings: readonly Holding[];
  /** What prune keeps, where that is known. */
  readonly policy: RetentionPolicy | undefined;
  readonly now: Date;
  /** What it is called that something wished for is not there or may not be looked at. */
  readonly ifUnknown: 'pass' | 'warn';
}

/** Not being allowed to look at them is the rule for a job that only reads backups, and no reason to fail. */
export async function readLifecycle(store: Store): Promise<LifecycleReading> {
  try {
    const rules = await store.lifecycle();
    return rules && { rules };
  } catch (failure) {
    if (!(failure instanceof Failure) || failure.code === 'cancelled' || failure.code === 'timed-out') throw failure;
    return { failure };
  }
}

/** Names each rule by which the bucket itself would take away what prune keeps. */
export function judgeLifecycle(location: string, reading: LifecycleReading, matters: LifecycleMatters): Finding[] {
  if (reading === undefined) return [];
  const say = (status: Finding['status'], message: string, hint?: string) =>
    finding('lifecycle', status, message, { subject: location, ...(hint !== undefined && { hint }) });
  if ('failure' in reading) {
    const message = `The lifecycle rules of the bucket could not be read: ${reading.failure.message}`;
    const hint = `Allow \`s3:GetLifecycleConfiguration\` to this role, or look yourself: no rule may expire or archive backups (${DOCUMENT}).`;
    return [say(matters.ifUnknown, message, hint)];
  }
  const bad = reading.rules.flatMap((rule) => judgeRule(rule, matters, say));
  const sound = bad.length === 0 ? [say('pass', 'No lifecycle rule of the bucket removes or archives backups.')] : [];
  return [...bad, ...sound, ...judgeParts(reading.rules, matters, say)];
}

type Say = (status: Finding['status'], message: string, hint?: string) => Finding;

function judgeParts(rules: readonly LifecycleRule[], { ifUnknown }: LifecycleMatters, say: Say): Finding[] {
  if (rules.some(({ abortsUploadsAfterDays: days, prefix }) => days !== undefined && prefix === '')) return [];
  const message = 'No lifecycle rule removes the parts of uploads that were never finished, which are paid for.';
  return [
    say(ifUnknown, message, `Add \`AbortIncompleteMultipartUpload\` after seven days for all keys (${DOCUMENT}).`),
  ];
}

function judgeRule(rule: LifecycleRule, matters: LifecycleMatters, say: Say): Finding[] {
  const deeds = [
    ...(rule.expires === undefined ? [] : [{ when: rule.expires, does: 'removes' }]),
    ...(rule.archives === undefined
      ? []
      : [{ when: rule.archives, does: `moves to ${rule.archives.storageClass}, where nothing can be read at once,` }]),
  ];
  return deeds.map(({ when, does }) => {
    const where = rule.prefix === '' ? '' : ` below ${rule.prefix}`;
    const what = `${rule.isNarrowed ? 'some objects' : 'objects'}${where}`;
    const message = `The lifecycle rule ${rule.name} ${does} ${what} ${'on' in when ? `on ${when.on.toISOString().slice(0, 10)}` : `after ${when.afterDays} days`}`;
    const hint = `Take the rule off the bucket, or give it another prefix; prune removes what no keep rule wants (${DOCUMENT}).`;
    const reasons = whyTooEarly(rule, when, matters);
    if (reasons.length > 0) return say('fail', `${message}, and ${reasons.join('; ')}.`, hint);
    return say('warn', `${message}, whether they are the newest, pinned or proven.`, hint);
  });
}

/** Everything there is on that day is old enough on it. */
function whyTooEarly(rule: LifecycleRule, when: { afterDays: number } | { on: Date }, matters: LifecycleMatters) {
  if ('on' in when) return ['nothing written before that day stays'];
  const { policy, holdings, now } = matters;
  const days = policy === undefined ? 0 : longestDays(policy);
  const { afterDays } = when;
  const kept = holdings.filter(({ source }) => reaches(rule.prefix, source));
  return [
    ...(policy !== undefined && days > afterDays
      ? [`${describePolicy(policy)} keeps backups for ${Number.isFinite(days) ? `${Math.ceil(days)} days` : 'ever'}`]
      : []),
    ...kept.flatMap((holding) => whyOf(holding, afterDays, now)),
  ];
}

/** Keys of a source begin with its name and a slash; the prefix of a rule may be longer or shorter. */
function reaches(prefix: string, source: string): boolean {
  const folder = `${source}/`;
  return folder.startsWith(prefix) || prefix.startsWith(folder);
}

function whyOf({ source, backups }: Holding, afterDays: number, now: Date): string[] {
  const complete = backups.filter(isComplete);
  const ageDays = (at: Date) => (now.getTime() - at.getTime()) / DAY_MS;
  const old = complete.filter(({ takenAt }) => ageDays(takenAt) > afterDays);
  const pinned = complete.filter((backup) => {
    const pin = activePin(backup, now);
    return pin !== undefined && (pin.until === null || -ageDays(pin.until) > afterDays - ageDays(backup.takenAt));
  });
  return [
    ...(old[0] === undefined
      ? []
      : [`${source} has ${old[0].id}, which is ${Math.floor(ageDays(old[0].takenAt))} days old`]),
    ...(pinned[0] === undefined ? [] : [`${source} has ${pinned[0].id}, which is pinned for longer`]),
  ];
}

/** How old the oldest backup becomes that the rules keep; of `keep-last` nobody knows without the rhythm. */
function longestDays({ last, counts = {}, within, withinPeriod = {} }: RetentionPolicy): number {
  const periods = Object.keys(DAYS_OF) as (keyof typeof DAYS_OF)[];
  return Math.max(
    last === Number.POSITIVE_INFINITY ? last : 0,
    daysIn(within),
    ...periods.flatMap((period) => [(counts[period] ?? 0) * DAYS_OF[period], daysIn(withinPeriod[period])]),
  );
}

function daysIn(span: CalendarDuration | undefined): number {
  if (span === undefined) return 0;
  return span.years * 366 + span.months * 31 + span.days + span.hours / 24;
}
