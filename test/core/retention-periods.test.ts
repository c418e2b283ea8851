import { describe, expect, it } from 'vitest';
import { calendarIn, isTimeZone } from '../../src/core/retention-periods.ts';
import { at } from '../fixtures.ts';

const day = { years: 0, months: 0, days: 1, hours: 0 };
const berlin = calendarIn('Europe/Berlin');
const utc = calendarIn('UTC');

describe('periods', () => {
  it.each([
    { moment: '2026-03-29T00:59:00Z', hourly: '2026-03-29T01+01:00' },
    { moment: '2026-03-29T01:00:00Z', hourly: '2026-03-29T03+02:00' },
    { moment: '2026-10-25T00:30:00Z', hourly: '2026-10-25T02+02:00' },
    { moment: '2026-10-25T01:30:00Z', hourly: '2026-10-25T02+01:00' },
  ])('tell the hours around a clock change apart: $moment', ({ moment, hourly }) => {
    expect(berlin.periodOf.hourly(at(moment))).toBe(hourly);
  });

  it('begin at local midnight, in zones off the hour too', () => {
    const kathmandu = calendarIn('Asia/Kathmandu');
    expect(kathmandu.periodOf.daily(at('2026-11-20T18:14:59Z'))).toBe('2026-11-20');
    expect(kathmandu.periodOf.daily(at('2026-11-20T18:15:00Z'))).toBe('2026-11-21');
    expect(kathmandu.periodOf.hourly(at('2026-11-20T18:15:00Z'))).toBe('2026-11-21T00+05:45');
  });

  it.each([
    ['2026-01-01', '2026-W01'],
    ['2027-01-01', '2026-W53'],
    ['2024-12-30', '2025-W01'],
    ['2023-01-01', '2022-W52'],
    ['2026-11-21', '2026-W47'],
  ])('number weeks by ISO 8601: %s is in %s', (moment, week) => {
    expect(utc.periodOf.weekly(at(moment))).toBe(week);
  });

  it('name months and years on the local clock', () => {
    const moment = at('2026-12-31T23:30:00Z');
    expect([utc.periodOf.monthly(moment), utc.periodOf.yearly(moment)]).toEqual(['2026-12', '2026']);
    expect([berlin.periodOf.monthly(moment), berlin.periodOf.yearly(moment)]).toEqual(['2027-01', '2027']);
  });
});

describe('going back', () => {
  const back = (calendar: typeof utc, moment: string, span: Partial<typeof day>) =>
    calendar.before(at(moment), { ...day, days: 0, ...span }).toISOString();

  it.each([
    { from: '2026-03-31', span: { months: 1 }, to: '2026-03-03' },
    { from: '2024-02-29', span: { years: 1 }, to: '2023-03-01' },
    { from: '2026-01-31', span: { months: 2 }, to: '2025-12-01' },
    { from: '2026-03-01', span: { days: 366 }, to: '2025-02-28' },
    { from: '2026-12-31', span: { years: 1, months: 1, days: 1 }, to: '2025-11-30' },
  ])('counts like Go from $from by $span', ({ from, span, to }) => {
    expect(back(utc, from, span)).toBe(`${to}T00:00:00.000Z`);
  });

  it('takes a day on the clock on the wall, of 23 or 25 hours', () => {
    expect(back(berlin, '2026-03-29T10:00:00Z', { days: 1 })).toBe('2026-03-28T11:00:00.000Z');
    expect(back(berlin, '2026-10-25T11:00:00Z', { days: 1 })).toBe('2026-10-24T10:00:00.000Z');
  });

  it('takes hours as they pass', () => {
    expect(back(berlin, '2026-03-29T10:00:00Z', { hours: 24 })).toBe('2026-03-28T10:00:00.000Z');
  });

  it('reads a time that the clock left out or showed twice as Go does', () => {
    // 30 March 02:30 less a day: 29 March 02:30 never was; Go looks the offset up at 02:30 UTC, then at 00:30 UTC.
    expect(back(berlin, '2026-03-30T00:30:00Z', { days: 1 })).toBe('2026-03-29T01:30:00.000Z');
    expect(back(berlin, '2026-10-26T01:30:00Z', { days: 1 })).toBe('2026-10-25T01:30:00.000Z');
  });
});

it('knows time zones from words', () => {
  expect(['UTC', 'Europe/Berlin', 'Asia/Kathmandu'].every(isTimeZone)).toBe(true);
  expect(isTimeZone('Mars/Olympus')).toBe(false);
});
