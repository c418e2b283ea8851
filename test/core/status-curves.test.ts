import { expect, it } from 'vitest';
import { type Curve, curveHtml } from '../../src/core/status-curves.ts';
import { at } from '../fixtures.ts';

const curve = (values: readonly number[], rest: Partial<Curve> = {}): Curve => ({
  id: 'c',
  title: 'Size',
  readings: values.map((value, day) => ({ at: at(`2026-11-${String(day + 1).padStart(2, '0')}`), value })),
  format: (value) => `${value} s`,
  units: [1, 60],
  nothing: 'No backup yet.',
  ...rest,
});
const draw = (of: Curve, most = 120) => curveHtml(of, most).markup;
const ticks = (markup: string) => [...markup.matchAll(/text-anchor="end">([^<]+) s</g)].map(([, text]) => Number(text));

it('draws over time from zero, with a round number on top', () => {
  const markup = draw(curve([10, 20, 41]));
  expect(ticks(markup)).toEqual([0, 25, 50]);
  expect(markup).toContain('class="line" d="M62 109.6L186 85.2L310 34"');
  expect(markup).toContain('>2026-11-01</text>');
  expect(markup).toContain(
    'From 10 s on 2026-11-01 to 41 s on 2026-11-03; the least is 10 s, the most 41 s, of 3 values.',
  );
});

it('counts the axis in the largest unit that fits', () => {
  expect(ticks(draw(curve([70, 150])))).toEqual([0, 90, 180]);
});

it('draws values that are all alike as a level line, zeros at the bottom', () => {
  expect(draw(curve([4, 4]))).toContain('d="M62 12L310 12"');
  expect(draw(curve([0, 0]))).toContain('d="M62 134L310 134"');
});

it('draws a single value as a dot in the middle', () => {
  const markup = draw(curve([5]));
  expect(markup).toContain('<circle class="point" cx="186"');
  expect(markup).not.toContain('class="line"');
  expect(markup).toContain('5 s on 2026-11-01; there is one value.');
});

it('says so where there is nothing, and leaves out what is no number', () => {
  expect(draw(curve([]))).toContain('No backup yet.');
  expect(draw(curve([Number.NaN, -1]))).toContain('No backup yet.');
});

it('shows the newest values when there are more than fit, the same in the table, newest first', () => {
  const markup = draw(curve([1, 2, 3, 4]), 2);
  expect([...markup.matchAll(/<td class="n">(\d) s/g)].map(([, value]) => value)).toEqual(['4', '3']);
});
