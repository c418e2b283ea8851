import { expect, it } from 'vitest';
import { calendarHtml, calendarOf } from '../../src/core/status-calendar.ts';
import { at, idAt } from '../fixtures.ts';

const now = at('2028-02-29T12:00:00Z');
const pointAt = (moment: string) => ({
  id: idAt(moment),
  takenAt: at(moment),
  bytes: 1,
  scope: 'full',
  drill: 'none' as const,
  pinnedUntil: undefined,
  fate: undefined,
});
const drillAt = (moment: string, proof: 'proven' | 'disproven' | 'inconclusive') => ({
  mark: { id: idAt(moment, 'drill'), startedAt: at(moment), verdict: 'pass' as const, proof, key: '' },
  backupId: idAt(moment),
  record: undefined,
});

it('shows twelve months up to today, leap days among them', () => {
  const months = calendarOf([], [], now);
  expect(months.map(({ name }) => name)).toEqual([
    ...['03', '04', '05', '06', '07', '08', '09', '10', '11', '12'].map((month) => `2027-${month}`),
    '2028-01',
    '2028-02',
  ]);
  expect(months.at(-1)).toMatchObject({ firstWeekday: 1, days: { length: 29 } });
  expect(calendarOf([], [], at('2026-11-03')).at(-1)?.days).toHaveLength(3);
});

it('counts a backup in two stores once, on its day in UTC, and each drill on its own day', () => {
  const points = [pointAt('2028-02-10T23:59:59Z'), pointAt('2028-02-10T23:59:59Z'), pointAt('2028-02-10T01:00:00Z')];
  const drills = [drillAt('2028-02-11T00:00:00Z', 'proven'), drillAt('2028-02-11T01:00:00Z', 'disproven')];
  const days = calendarOf(points, drills, now).at(-1)?.days ?? [];
  expect(days[9]).toMatchObject({ day: 10, backups: 2 });
  expect(days[10]).toMatchObject({ backups: 0, drills: { proven: 1, disproven: 1, inconclusive: 0 } });
});

it('says in words what each month shows, and leaves out what is older than a year', () => {
  const points = [pointAt('2028-02-10T03:00:00Z'), pointAt('2028-02-11T03:00:00Z'), pointAt('2026-01-01T03:00:00Z')];
  const { markup } = calendarHtml(calendarOf(points, [drillAt('2028-02-11T05:00:00Z', 'disproven')], now));
  expect(markup).toContain('aria-label="February 2028: 2 backups on 2 days, 1 drill disproven"');
  expect(markup).toContain('aria-label="January 2028: no backup"');
  expect(markup.match(/role="img"/g)).toHaveLength(12);
});

it('draws a disproven drill over everything else of its day', () => {
  const drills = [drillAt('2028-02-01T01:00:00Z', 'proven'), drillAt('2028-02-01T05:00:00Z', 'disproven')];
  const { markup } = calendarHtml(calendarOf([pointAt('2028-02-01T00:00:00Z')], drills, now).slice(-1));
  const drawn = markup.slice(0, markup.indexOf('legend'));
  // The first of February 2028 is a Tuesday: second column, first row.
  expect(drawn).toContain('<path class="bad" d="M13 1h10v10h-10z"/>');
  expect(drawn).toContain('class="cross"');
  expect(drawn).not.toMatch(/class="(held|dot)"/);
});
