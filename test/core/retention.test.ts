import { describe, expect, it } from 'vitest';
import { planRetention, type RetentionCandidate, type RetentionPolicy } from '../../src/core/retention.ts';
import { at, candidateAt, forever } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');

function policyOf(rules: Partial<RetentionPolicy>): RetentionPolicy {
  return { timeZone: 'UTC', ...rules };
}

function keptOf(backups: readonly RetentionCandidate[], rules: Partial<RetentionPolicy>, moment = now): string[] {
  return [...planRetention(backups, policyOf(rules), moment).keep.keys()].map(({ takenAt }) => shortOf(takenAt));
}

function shortOf(moment: Date): string {
  return moment.toISOString().replace('T00:00:00.000Z', '').replace(':00.000Z', '');
}

const days = (...moments: string[]) => moments.map((moment) => candidateAt(moment));

describe('keep rules', () => {
  const series = days('2026-11-21', '2026-11-20', '2026-11-15', '2026-10-31', '2026-10-30', '2025-12-31', '2025-12-30');

  it.each([
    { rules: { last: 2 }, kept: ['2026-11-21', '2026-11-20'] },
    { rules: { counts: { daily: 3 } }, kept: ['2026-11-21', '2026-11-20', '2026-11-15'] },
    { rules: { counts: { weekly: 2 } }, kept: ['2026-11-21', '2026-11-15'] },
    { rules: { counts: { monthly: 2 } }, kept: ['2026-11-21', '2026-10-31'] },
    { rules: { counts: { yearly: 1 } }, kept: ['2026-11-21'] },
    { rules: { counts: { yearly: 2 } }, kept: ['2026-11-21', '2025-12-31'] },
    { rules: { last: 1, counts: { monthly: 2 } }, kept: ['2026-11-21', '2026-10-31'] },
    {
      rules: { counts: { monthly: Number.POSITIVE_INFINITY } },
      kept: ['2026-11-21', '2026-10-31', '2025-12-31', '2025-12-30'],
    },
  ])('keep the newest of each period under $rules', ({ rules, kept }) => {
    expect(keptOf(series, rules)).toEqual(kept);
  });

  it('keep the oldest while a rung is not full, and only then', () => {
    expect(keptOf(series, { counts: { yearly: 3 } })).toEqual(['2026-11-21', '2025-12-31', '2025-12-30']);
    expect(keptOf(series, { counts: { yearly: 2 } })).toEqual(['2026-11-21', '2025-12-31']);
  });

  it('measure `within` back from the newest, and the moment itself is too old', () => {
    const span = { years: 0, months: 0, days: 6, hours: 0 };
    expect(keptOf(series, { within: span })).toEqual(['2026-11-21', '2026-11-20']);
    expect(keptOf(series, { within: { ...span, hours: 1 } })).toEqual(['2026-11-21', '2026-11-20', '2026-11-15']);
  });

  it('count months like Go: 31 March less a month is 3 March', () => {
    const spring = days('2026-03-31', '2026-03-04', '2026-03-03', '2026-03-02');
    expect(keptOf(spring, { within: { years: 0, months: 1, days: 0, hours: 0 } })).toEqual([
      '2026-03-31',
      '2026-03-04',
    ]);
  });

  it('keep one of each period within a span', () => {
    const hours = days('2026-11-21T06:00:00Z', '2026-11-21T05:00:00Z', '2026-11-20T05:00:00Z', '2026-11-10');
    const withinPeriod = { daily: { years: 0, months: 0, days: 7, hours: 0 } };
    expect(keptOf(hours, { withinPeriod })).toEqual(['2026-11-21T06:00', '2026-11-20T05:00']);
  });

  it('use ISO weeks: the last days of 2024 belong to the first week of 2025', () => {
    const turn = days('2025-01-01', '2024-12-31', '2024-12-30', '2024-12-29');
    expect(keptOf(turn, { counts: { weekly: 2 } })).toEqual(['2025-01-01', '2024-12-29']);
  });

  it('count days on the clock of the time zone', () => {
    const evening = days('2026-11-20T23:30:00Z', '2026-11-20T22:30:00Z');
    expect(keptOf(evening, { counts: { daily: 2 }, last: 1 })).toHaveLength(2);
    expect(keptOf(evening, { counts: { daily: 1 } })).toEqual(['2026-11-20T23:30']);
    const both = keptOf(evening, { counts: { daily: 2 }, timeZone: 'Europe/Berlin' });
    expect(both).toEqual(['2026-11-20T23:30', '2026-11-20T22:30']);
    const plan = planRetention(evening, policyOf({ counts: { daily: 2 }, timeZone: 'Europe/Berlin' }), now);
    expect([...plan.keep.values()].map((reasons) => reasons.at(-1))).toEqual(['daily 2026-11-21', 'daily 2026-11-20']);
  });

  it('say why each backup is kept and why each may go', () => {
    const series = days('2026-11-21', '2026-11-20T09:00:00Z', '2026-11-20T08:00:00Z', '2026-11-18');
    const plan = planRetention(series, policyOf({ last: 1, counts: { daily: 2, weekly: 1 } }), now);
    expect([...plan.keep.values()]).toEqual([
      ['newest', 'last 1 of 1', 'daily 2026-11-21', 'weekly 2026-W47'],
      ['daily 2026-11-20'],
    ]);
    expect([...plan.remove.values()][0]).toEqual(['last is full (1)', 'daily is full (2)', 'weekly is full (1)']);
    expect(plan.remove.size).toBe(2);
  });

  it('keep everything when there is no rule', () => {
    expect(keptOf(series, { last: 0 })).toHaveLength(series.length);
  });
});

describe('whatever the policy says', () => {
  const one = { last: 1 };

  it('the newest stays, and a date in the future makes none the newest', () => {
    const series = days('2027-01-01', '2026-11-21', '2026-11-20');
    expect(keptOf(series, one)).toEqual(['2027-01-01', '2026-11-21']);
  });

  it('the newest proven stays', () => {
    const series = [
      candidateAt('2026-11-21'),
      candidateAt('2026-11-20', { proof: 'proven' }),
      candidateAt('2026-11-19', { proof: 'proven' }),
    ];
    expect(keptOf(series, one)).toEqual(['2026-11-21', '2026-11-20']);
  });

  it('the newest whose size was sound stays', () => {
    const series = [candidateAt('2026-11-21', { soundSize: false }), ...days('2026-11-20', '2026-11-19')];
    expect(keptOf(series, one)).toEqual(['2026-11-21', '2026-11-20']);
  });

  it('a pinned one stays until the pin runs out, and fills a slot like any other', () => {
    const until = { until: at('2026-11-22'), key: 'pin-20261122T000000Z.json' };
    const series = [
      candidateAt('2026-11-21', { pins: [forever] }),
      candidateAt('2026-11-20', { pins: [until] }),
      ...days('2026-11-19'),
    ];
    expect(keptOf(series, one)).toEqual(['2026-11-21', '2026-11-20']);
    expect(keptOf(series, one, at('2026-11-23'))).toEqual(['2026-11-21']);
  });

  it('an unreadable one stays and fills no slot', () => {
    const series = [candidateAt('2026-11-21', { readable: false }), ...days('2026-11-20', '2026-11-19')];
    expect(keptOf(series, one)).toEqual(['2026-11-21', '2026-11-20']);
  });

  it('one in progress stays', () => {
    const series = [...days('2026-11-21'), candidateAt('2026-11-20', { inProgress: true }), ...days('2026-11-19')];
    expect(keptOf(series, one)).toEqual(['2026-11-21', '2026-11-20']);
  });

  it('a disproven one fills no slot and goes only when a younger one is proven', () => {
    const disproven = candidateAt('2026-11-20', { proof: 'disproven' });
    const older = candidateAt('2026-11-19', { proof: 'proven' });
    expect(keptOf([...days('2026-11-21'), disproven, older], one)).toEqual(['2026-11-21', '2026-11-20', '2026-11-19']);
    const younger = candidateAt('2026-11-21', { proof: 'proven' });
    expect(keptOf([younger, disproven, older], { last: 2 })).toEqual(['2026-11-21', '2026-11-19']);
    expect(keptOf([disproven, older], one)).toEqual(['2026-11-20', '2026-11-19']);
  });

  it('another scope stays, and nothing goes while the newest is not of the usual one', () => {
    const tables = candidateAt('2026-11-18', { scope: 'tables' });
    expect(keptOf([...days('2026-11-21', '2026-11-20'), tables], one)).toEqual(['2026-11-21', '2026-11-18']);
    const strangeNewest = candidateAt('2026-11-21', { scope: 'tables' });
    expect(keptOf([strangeNewest, ...days('2026-11-20', '2026-11-19')], one)).toHaveLength(3);
  });
});
