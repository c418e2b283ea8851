import { expect, it } from 'vitest';
import { isSourceName } from '../../src/core/keys.ts';
import {
  isSafetySource,
  listed,
  quoteName,
  quoteWord,
  restoreNames,
  safetySourceOf,
} from '../../src/core/restore-names.ts';

const id = '20261122T040506Z-abcdef';

it.each([
  ['shop', 'shop_restored_20261122t040506', 'shop_old_20261122t040506'],
  ['x'.repeat(63), `${'x'.repeat(38)}_restored_20261122t040506`, `${'x'.repeat(43)}_old_20261122t040506`],
])('names databases beside %s, in 63 bytes', (target, restored, old) => {
  expect(restoreNames(target, id)).toEqual({ restored, old });
});

it('cuts between characters, never through one', () => {
  const { restored, old } = restoreNames('ä'.repeat(31), id);
  expect(restored).toBe(`${'ä'.repeat(19)}_restored_20261122t040506`);
  for (const name of [restored, old]) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
});

it.each([
  ['orders', 'orders-before-restore'],
  ['orders-before-restore', 'orders-before-restore'],
  ['o'.repeat(63), `${'o'.repeat(48)}-before-restore`],
])('keeps what a restore of %s takes away as a source of its own', (source, expected) => {
  expect(safetySourceOf(source)).toBe(expected);
  expect(isSourceName(safetySourceOf(source))).toBe(true);
  expect(isSafetySource(safetySourceOf(source))).toBe(true);
});

it('takes no other source for one of these', () => {
  expect(['orders', 'before-restore-orders', 'orders-before-restored'].map(isSafetySource)).toEqual([
    false,
    false,
    false,
  ]);
});

it('quotes for SQL and for a shell', () => {
  expect(quoteName('My "Shop"')).toBe('"My ""Shop"""');
  expect(['a-b.c', "it's", 'two words', '$(rm)'].map(quoteWord)).toEqual([
    'a-b.c',
    "'it'\\''s'",
    "'two words'",
    "'$(rm)'",
  ]);
});

it('shortens a long list', () => {
  expect(listed(['a', 'b'])).toBe('a, b');
  expect(listed(Array.from({ length: 12 }, (_, at) => `t${at}`))).toMatch(/t9 and 2 more$/);
});
