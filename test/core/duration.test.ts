import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, parseCalendarDuration, parseDuration } from '../../src/core/duration.ts';

it.each([
  ['0', 0],
  ['30s', 30_000],
  ['90m', 5_400_000],
  ['26h', 93_600_000],
  ['8d', 691_200_000],
  ['2w', 1_209_600_000],
  ['1d12h', 129_600_000],
])('reads %s as %d milliseconds', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(['', '26', '26 h', '-1h', '1.5h', '12h1d', '1h1h', '5M', 'h', '1mo', '1h\n', '99999999999w'])(
  'refuses %j as a duration',
  (text) => {
    expect(() => parseDuration(text)).toThrow(/is not a duration/);
  },
);

it.each([
  ['1y2mo3d3h', { years: 1, months: 2, days: 3, hours: 3 }],
  ['18mo', { years: 0, months: 18, days: 0, hours: 0 }],
  ['2w1d', { years: 0, months: 0, days: 15, hours: 0 }],
])('reads %s as a span on the calendar', (text, span) => {
  expect(parseCalendarDuration(text)).toEqual(span);
});

it('refuses a bare m on the calendar and says how months are written', () => {
  expect(() => parseCalendarDuration('3m')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('Write `mo` for months') }),
  );
});

it.each(['', '7', '3d1y', '90s', '999999y'])('refuses %j as a calendar duration', (text) => {
  expect(() => parseCalendarDuration(text)).toThrow(/is not a calendar duration/);
});

it.each([
  [0, '0ms'],
  [850, '850ms'],
  [5_299, '5.2s'],
  [59_999, '59.9s'],
  [60_000, '1m'],
  [245_000, '4m 5s'],
  [93_600_000, '1d 2h'],
  [86_400_000 + 59_000, '1d'],
  [-90_000, '-1m 30s'],
  [Number.NaN, 'unknown'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it('never writes a longer time as a shorter one', () => {
  const span = fc.integer({ min: 0, max: 4_000_000_000 });
  fc.assert(
    fc.property(span, (ms) => {
      const written = formatDuration(ms).replaceAll(' ', '');
      if (ms < 60_000) return;
      expect(parseDuration(written)).toBeLessThanOrEqual(ms);
      expect(parseDuration(written)).toBeGreaterThan(ms * 0.9 - 60_000);
    }),
  );
});
