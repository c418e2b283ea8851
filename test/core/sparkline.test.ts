import { expect, it } from 'vitest';
import { sparkline } from '../../src/core/sparkline.ts';

it.each([
  { of: 'a rise, newest last', values: [1, 2, 3, 4, 5, 6, 7, 8], text: '▁▂▃▄▅▆▇█' },
  { of: 'a fall', values: [100, 50, 0], text: '█▅▁' },
  { of: 'values that are all alike', values: [7, 7, 7], text: '▄▄▄' },
  { of: 'zeros', values: [0, 0], text: '▄▄' },
  { of: 'a single value', values: [42], text: '▄' },
  { of: 'nothing', values: [], text: '' },
  { of: 'a change too small to matter', values: [1_000, 1_001], text: '▄▅' },
  { of: 'what is no number', values: [Number.NaN, 1, Number.POSITIVE_INFINITY, 2], text: '▁█' },
])('draws $of', ({ values, text }) => {
  expect(sparkline(values)).toBe(text);
});

it('shows the last twelve', () => {
  const values = Array.from({ length: 30 }, (_, at) => (at === 29 ? 9 : 1));
  expect(sparkline(values)).toBe('▁▁▁▁▁▁▁▁▁▁▁█');
});
