import { expect, it } from 'vitest';
import { nearest } from '../../src/core/nearest.ts';

const names = ['store', 'source', 'database-url', 'keep-last', 'keep-daily', 'jobs'];

it.each([
  ['databse-url', 'database-url'],
  ['stoer', 'store'],
  ['sources', 'source'],
  ['keep-lsat', 'keep-last'],
  ['job', 'jobs'],
])('takes %s for %s', (typed, meant) => {
  expect(nearest(typed, names)).toBe(meant);
});

it.each(['', 'x', 'keep', 'password', 'jxyz'])('takes "%s" for none of them', (typed) => {
  expect(nearest(typed, names)).toBeUndefined();
});
