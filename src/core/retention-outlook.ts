import { makeId } from './keys.ts';
import { planRetention, type RetentionCandidate, type RetentionPlan, type RetentionPolicy } from './retention.ts';
import { formatSpan } from './retention-rules.ts';

/** When a copy goes, if the rules stay and backups go on at their usual rhythm. */
export type Going =
  | { readonly when: 'next-prune' }
  /** Between two looks ahead: kept after the first, gone with the second. */
  | { readonly when: 'between'; readonly from: Date; readonly by: Date }
  /** Still there at the end of what was looked at. */
  | { readonly when: 'later'; readonly than: Date }
  /** Without a rhythm, or with too many copies, nothing can be said of later. */
  | { readonly when: 'unknown' };

export interface Outlook {
  /** The usual time between two backups; undefined with fewer than three of them. */
  readonly everyMs: number | undefined;
  readonly goingOf: ReadonlyMap<string, Going>;
}

const DAY_MS = 86_400_000;
/** Distances between the newest backups that tell the rhythm. */
const RHYTHM = 7;
const SHORTEST_EVERY_MS = 300_000;
/** Looked at day by day so far, then week by week. */
const DAYS = 35;
const HORIZON_DAYS = 366;
/** Backups to come that are thought of, and copies beyond which looking ahead takes too long. */
const MOST_TO_COME = 3_000;
const MOST_COPIES = 1_000;

/**
 * Looks ahead: adds backups at the usual rhythm, prunes once a day, later once a week, and notes when each copy
 * goes. Backups to come are taken as sound and proven, so that nothing stays only because drills stopped.
 *
 * @param stays ids that would go now and cannot, because they are locked
 */
export function outlookOf<T extends RetentionCandidate>(
  plan: RetentionPlan<T>,
  policy: RetentionPolicy,
  now: Date,
  stays: ReadonlyMap<string, Date | null> = new Map(),
): Outlook {
  const goesNow = [...plan.remove.keys()].filter(({ id }) => !stays.has(id));
  const kept: RetentionCandidate[] = [
    ...plan.keep.keys(),
    ...[...plan.remove.keys()].filter(({ id }) => stays.has(id)),
  ];
  const goingOf = new Map<string, Going>(goesNow.map(({ id }) => [id, { when: 'next-prune' }]));
  const everyMs = rhythmOf(kept.concat(goesNow));
  if (everyMs === undefined || kept.length > MOST_COPIES) {
    for (const { id } of kept) goingOf.set(id, { when: 'unknown' });
    return { everyMs, goingOf };
  }
  lookAhead(kept, { policy, now, everyMs, stays }, goingOf);
  return { everyMs, goingOf };
}

interface Ahead {
  readonly policy: RetentionPolicy;
  readonly now: Date;
  readonly everyMs: number;
  readonly stays: ReadonlyMap<string, Date | null>;
}

function lookAhead(kept: readonly RetentionCandidate[], ahead: Ahead, goingOf: Map<string, Going>): void {
  const { policy, now, everyMs, stays } = ahead;
  const own = new Set(kept.map(({ id }) => id));
  const scope = newestOf(kept, now)?.scope;
  let alive = kept.map((one) => ({ ...one, inProgress: false }));
  let from = now;
  let next = (newestOf(kept, now)?.takenAt ?? now).getTime() + everyMs;
  for (const by of looks(now, everyMs)) {
    for (; next <= by.getTime(); next += everyMs) if (next > now.getTime()) alive.push(toCome(new Date(next), scope));
    const { remove } = planRetention(alive, policy, by);
    const gone = new Set([...remove.keys()].map(({ id }) => id).filter((id) => !isLocked(stays, id, by)));
    for (const id of gone) if (own.has(id)) goingOf.set(id, { when: 'between', from, by });
    alive = alive.filter(({ id }) => !gone.has(id));
    from = by;
  }
  for (const { id } of alive) if (own.has(id)) goingOf.set(id, { when: 'later', than: from });
}

function looks(now: Date, everyMs: number): Date[] {
  const horizon = Math.min(HORIZON_DAYS, Math.floor((MOST_TO_COME * everyMs) / DAY_MS));
  const days: number[] = [];
  for (let day = 1; day <= horizon; day += day < DAYS ? 1 : 7) days.push(day);
  return days.map((day) => new Date(now.getTime() + day * DAY_MS));
}

function newestOf(backups: readonly RetentionCandidate[], now: Date): RetentionCandidate | undefined {
  return backups
    .filter(({ takenAt }) => takenAt <= now)
    .toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime())[0];
}

function isLocked(stays: ReadonlyMap<string, Date | null>, id: string, at: Date): boolean {
  const until = stays.get(id);
  return until === null || (until !== undefined && until > at);
}

function toCome(takenAt: Date, scope: RetentionCandidate['scope']): RetentionCandidate & { inProgress: false } {
  const sound = { pins: [], proof: 'proven', readable: true, soundSize: true, inProgress: false } as const;
  return { id: makeId(takenAt, '000000'), takenAt, scope, ...sound };
}

/**
 * The second shortest distance between the newest backups. Not the median: prune has thinned out all but the
 * last few. Not the shortest: one made by hand may lie beside one of the schedule.
 */
function rhythmOf(backups: readonly RetentionCandidate[]): number | undefined {
  const moments = backups.map(({ takenAt }) => takenAt.getTime()).toSorted((a, b) => b - a);
  const distances = moments
    .slice(0, RHYTHM + 1)
    .flatMap((at, rank) => (rank === 0 ? [] : [(moments[rank - 1] ?? at) - at]));
  const second = distances.toSorted((a, b) => a - b)[1];
  return second === undefined ? undefined : Math.max(second, SHORTEST_EVERY_MS);
}

/** The rules as they are typed: `keep-daily 7, keep-within 14d`. */
export function describePolicy({ last, counts = {}, within, withinPeriod = {}, timeZone }: RetentionPolicy): string {
  const rules: string[] = [];
  if (last) rules.push(`keep-last ${countText(last)}`);
  for (const [period, count] of Object.entries(counts)) if (count) rules.push(`keep-${period} ${countText(count)}`);
  if (within) rules.push(`keep-within ${formatSpan(within)}`);
  for (const [period, span] of Object.entries(withinPeriod)) {
    if (span) rules.push(`keep-within-${period} ${formatSpan(span)}`);
  }
  return `${rules.join(', ')}${timeZone === 'UTC' ? '' : ` (${timeZone})`}`;
}

function countText(count: number): string {
  return Number.isFinite(count) ? String(count) : 'all';
}
