import { expect, it } from 'vitest';
import { planRetention, type RetentionCandidate } from '../../src/core/retention.ts';
import { describePolicy, type Going, outlookOf } from '../../src/core/retention-outlook.ts';
import { at, candidateAt, forever } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const DAY_MS = 86_400_000;

/** Backups of the last days at 03:00, the newest of today. */
function nightly(days: number, rest: (daysAgo: number) => Partial<RetentionCandidate> = () => ({})) {
  return Array.from({ length: days }, (_, daysAgo) =>
    candidateAt(new Date(at('2026-11-21T03:00:00Z').getTime() - daysAgo * DAY_MS), rest(daysAgo)),
  );
}

function goingOf(
  backups: readonly RetentionCandidate[],
  policy: Parameters<typeof planRetention>[1],
  stays?: Map<string, Date | null>,
) {
  const outlook = outlookOf(planRetention(backups, policy, now), policy, now, stays);
  return backups.map(({ id }) => outlook.goingOf.get(id)).map((going) => going && inWords(going));
}

function inWords(going: Going): string {
  if (going.when === 'between') return going.by.toISOString().slice(0, 10);
  return going.when === 'later' ? `after ${going.than.toISOString().slice(0, 10)}` : going.when;
}

it('says of each copy the day on which the rules let it go', () => {
  const policy = { last: 3, timeZone: 'UTC' };
  expect(goingOf(nightly(5), policy)).toEqual(['2026-11-24', '2026-11-23', '2026-11-22', 'next-prune', 'next-prune']);
});

it('sees that a monthly copy outlives the daily ones', () => {
  const policy = { counts: { daily: 2, monthly: 12 }, timeZone: 'UTC' };
  const [newest, , , , october] = goingOf([...nightly(4), candidateAt('2026-10-31T03:00:00Z')], policy);
  expect(newest).toBe('2026-11-23');
  expect(october).toMatch(/^2027-10-/);
});

it('keeps what is pinned for ever or under a legal hold, and lets go what a lock held when it ends', () => {
  const policy = { last: 1, timeZone: 'UTC' };
  const backups = nightly(4, (daysAgo) => (daysAgo === 1 ? { pins: [forever] } : {}));
  const stays = new Map([
    [backups[2]?.id ?? '', null],
    [backups[3]?.id ?? '', at('2026-11-30')],
  ]);
  expect(goingOf(backups, policy, stays)).toEqual(['2026-11-22', 'after 2027-11-20', 'after 2027-11-20', '2026-11-30']);
});

it('takes younger copies as proven, so that the newest proven one goes in its turn', () => {
  const policy = { last: 1, timeZone: 'UTC' };
  const backups = nightly(3, (daysAgo) => (daysAgo === 2 ? { proof: 'proven' } : {}));
  expect(goingOf(backups, policy)).toEqual(['2026-11-22', 'next-prune', '2026-11-22']);
});

it('says nothing of later when there is no rhythm', () => {
  const policy = { last: 2, timeZone: 'UTC' };
  expect(goingOf(nightly(2), policy)).toEqual(['unknown', 'unknown']);
  expect(outlookOf(planRetention([], policy, now), policy, now).everyMs).toBeUndefined();
});

it('knows the rhythm also where prune has thinned out all but the last few, or one was made by hand', () => {
  const policy = { last: 20, timeZone: 'UTC' };
  const everyMs = (backups: RetentionCandidate[]) =>
    outlookOf(planRetention(backups, policy, now), policy, now).everyMs;
  const weekly = Array.from({ length: 8 }, (_, week) =>
    candidateAt(new Date(at('2026-11-15').getTime() - week * 7 * DAY_MS)),
  );
  expect(everyMs([...nightly(3), ...weekly])).toBe(DAY_MS);
  expect(everyMs([...nightly(6), candidateAt('2026-11-21T02:50:00Z')])).toBe(DAY_MS - 600_000);
});

it('writes the rules as they are typed', () => {
  const policy = {
    last: 3,
    counts: { daily: 7, yearly: Number.POSITIVE_INFINITY },
    within: { years: 0, months: 0, days: 14, hours: 0 },
    withinPeriod: { weekly: { years: 0, months: 2, days: 0, hours: 0 } },
    timeZone: 'Europe/Berlin',
  };
  expect(describePolicy(policy)).toBe(
    'keep-last 3, keep-daily 7, keep-yearly all, keep-within 14d, keep-within-weekly 2mo (Europe/Berlin)',
  );
});
