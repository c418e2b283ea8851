import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planRetention, type RetentionCandidate, type RetentionPolicy } from '../../src/core/retention.ts';
import { calendarIn, periods } from '../../src/core/retention-periods.ts';
import { at, candidateAt, forever, hexOf } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const HOUR_MS = 3_600_000;

const span = fc.record({ years: fc.nat(2), months: fc.nat(14), days: fc.nat(40), hours: fc.nat(30) });
const count = fc.oneof(fc.nat(6), fc.constant(Number.POSITIVE_INFINITY));
const perPeriod = <T>(value: fc.Arbitrary<T>) =>
  fc.record({ hourly: value, daily: value, weekly: value, monthly: value, yearly: value }, { requiredKeys: [] });

const policies: fc.Arbitrary<RetentionPolicy> = fc.record(
  {
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu'),
    last: count,
    counts: perPeriod(count),
    within: span,
    withinPeriod: perPeriod(span),
  },
  { requiredKeys: ['timeZone'] },
);

/** Hours back from `now`; some before 0, thus in the future. Dense near the present, as backups are. */
const hoursBack = fc.oneof(fc.integer({ min: -30, max: 100 }), fc.integer({ min: 0, max: 2_000 }), fc.nat(40_000));

const plain = hoursBack.map((hours) => candidateAt(new Date(now.getTime() - hours * HOUR_MS)));

const odd = fc
  .record({
    hours: hoursBack,
    scope: fc.constantFrom('full' as const, 'full' as const, 'full' as const, 'tables' as const, undefined),
    pins: fc.constantFrom([], [], [], [forever], [{ until: at('2026-11-01'), key: 'pin-20261101T000000Z.json' }]),
    proof: fc.constantFrom('proven' as const, 'disproven' as const, undefined, undefined),
    readable: fc.constantFrom(true, true, true, false),
    soundSize: fc.constantFrom(true, true, false),
    inProgress: fc.constantFrom(false, false, false, true),
  })
  .map(({ hours, ...rest }) => candidateAt(new Date(now.getTime() - hours * HOUR_MS), rest));

const listsOf = (backup: fc.Arbitrary<RetentionCandidate>) =>
  fc
    .array(backup, { maxLength: 40 })
    .map((backups) => backups.map((one, rank) => ({ ...one, id: `${one.id.slice(0, -6)}${hexOf(rank)}` })));

const ids = (backups: Iterable<RetentionCandidate>) => [...backups].map(({ id }) => id).sort();

it('nothing protected ever goes', () => {
  fc.assert(
    fc.property(listsOf(odd), policies, (backups, policy) => {
      const gone = [...planRetention(backups, policy, now).remove.keys()];
      const past = backups.filter(({ takenAt }) => takenAt.getTime() <= now.getTime());
      const restorable = past.filter(({ readable, proof }) => readable && proof !== 'disproven');
      const newest = (list: RetentionCandidate[]) => Math.max(...list.map(({ takenAt }) => takenAt.getTime()));
      const proven = restorable.filter(({ proof }) => proof === 'proven');
      for (const one of gone) {
        expect(one).toMatchObject({ readable: true, inProgress: false });
        expect(one.pins).not.toContain(forever);
        expect(one.takenAt.getTime()).toBeLessThanOrEqual(now.getTime());
        if (one.proof === 'disproven') expect(newest(proven)).toBeGreaterThan(one.takenAt.getTime());
      }
      // Whatever went, something as new, and something as new and proven, is still there.
      const left = new Set(backups.filter((one) => !gone.includes(one)));
      const stays = (list: RetentionCandidate[]) =>
        list.some((one) => left.has(one) && one.takenAt.getTime() === newest(list));
      if (restorable.length > 0) expect(stays(restorable)).toBe(true);
      const scopeOfGone = gone[0]?.scope;
      const provenToo = proven.filter(({ scope }) => scope === scopeOfGone);
      if (provenToo.length > 0) expect(stays(provenToo)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('the order in which backups are listed changes nothing', () => {
  const shuffled = listsOf(odd).chain((backups) =>
    fc.tuple(fc.constant(backups), fc.shuffledSubarray(backups, { minLength: backups.length })),
  );
  fc.assert(
    fc.property(shuffled, policies, ([backups, other], policy) => {
      const plan = planRetention(backups, policy, now);
      const same = planRetention(other, policy, now);
      expect([...same.keep.entries()]).toEqual([...plan.keep.entries()]);
      expect([...same.remove.entries()]).toEqual([...plan.remove.entries()]);
    }),
  );
});

it('applying a plan twice removes no more than applying it once', () => {
  fc.assert(
    fc.property(listsOf(odd), policies, (backups, policy) => {
      const left = [...planRetention(backups, policy, now).keep.keys()];
      expect([...planRetention(left, policy, now).remove.keys()]).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

it('a policy that keeps more never removes more', () => {
  const larger = fc.tuple(policies, fc.constantFrom('last', ...periods), fc.integer({ min: 1, max: 5 }));
  fc.assert(
    fc.property(listsOf(odd), larger, (backups, [policy, rung, more]) => {
      const raised: RetentionPolicy =
        rung === 'last'
          ? { ...policy, last: (policy.last ?? 0) + more }
          : { ...policy, counts: { ...policy.counts, [rung]: (policy.counts?.[rung] ?? 0) + more } };
      const before = planRetention(backups, policy, now);
      // Without any rule everything stays: that is an error of the action, not a policy.
      fc.pre(before.remove.size > 0);
      expect(ids(before.remove.keys())).toEqual(
        expect.arrayContaining(ids(planRetention(backups, raised, now).remove.keys())),
      );
    }),
  );
});

it('one rung keeps the newest of each of its first periods, and the oldest while it is not full', () => {
  fc.assert(
    fc.property(listsOf(plain), fc.constantFrom(...periods), fc.integer({ min: 1, max: 8 }), (all, period, most) => {
      const backups = all.filter(({ takenAt }) => takenAt.getTime() <= now.getTime());
      const policy: RetentionPolicy = { timeZone: 'America/New_York', counts: { [period]: most } };
      const groups = Map.groupBy(newestFirst(backups), ({ takenAt }) =>
        calendarIn(policy.timeZone).periodOf[period](takenAt),
      );
      const expected = new Set([...groups.values()].slice(0, most).map(([newest]) => newest));
      if (groups.size < most) expected.add(newestFirst(backups).at(-1));
      const kept = planRetention(backups, policy, now).keep.keys();
      expect(ids(kept)).toEqual(ids([...expected].filter((one) => one !== undefined)));
    }),
  );
});

function newestFirst(backups: readonly RetentionCandidate[]): RetentionCandidate[] {
  return backups.toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime() || (a.id < b.id ? 1 : -1));
}
