import { describe, expect, it } from 'vitest';
import { type Choosable, chooseTables, refuseUnknownTables } from '../../src/core/table-choice.ts';
import { splitName } from '../../src/core/table-name.ts';

const known: Choosable[] = [
  one('public.orders'),
  one('public."Orders"'),
  one('audit.orders'),
  one('public.empty', { holdsRows: false }),
  one('public.glad', { kind: 'view', holdsRows: false }),
  one('public.events', { kind: 'partitioned table', holdsRows: false }),
  one('public.events_1', { kind: 'partitioned table', holdsRows: false, partitionOf: 'public.events' }),
  one('public.events_1a', { partitionOf: 'public.events_1' }),
  one('public.events_2', { partitionOf: 'public.events' }),
  one('public.halves', { kind: 'partitioned table', holdsRows: false }),
  one('public.half_1', { partitionOf: 'public.halves' }),
  one('public.half_2', { partitionOf: 'public.halves', holdsRows: false }),
  one('"a.b"."c""\nd"'),
  one('postgis.spatial', { extension: 'postgis' }),
];

function one(name: string, given: Partial<Choosable> = {}): Choosable {
  return { name, ...splitName(name), kind: 'table', partitionOf: null, holdsRows: true, extension: null, ...given };
}

describe('tables by their names', () => {
  it.each([
    ['orders', ['public.orders', 'audit.orders']],
    ['public.orders', ['public.orders']],
    ['Orders', ['public."Orders"']],
    ['public.?rders', ['public.orders', 'public."Orders"']],
    ['"a.b"."c""\nd"', ['"a.b"."c""\nd"']],
    ['events_2', ['public.events_2']],
  ])('%j are %j', (pattern, expected) => {
    expect(chooseTables([pattern], known)).toEqual({
      roots: expected,
      leaves: expected,
      all: expected,
      passedOver: [],
    });
  });

  it('stand for their partitions, however deep, and once', () => {
    const leaves = ['public.events_1a', 'public.events_2'];
    expect(chooseTables(['events'], known)).toMatchObject({ roots: ['public.events'], leaves });
    expect(chooseTables(['events', 'events_2', 'events_*'], known)).toMatchObject({ roots: ['public.events'], leaves });
  });

  it('with a wildcard pass over what the backup holds no rows of, and say so', () => {
    const choice = chooseTables(['public.e*', 'half*', 'halves*'].slice(0, 2), known);
    expect(choice.roots).toEqual(['public.events', 'public.half_1']);
    expect(choice.passedOver).toEqual(['public.empty', 'public.half_2']);
  });

  it('are all that the backup holds rows of when none is named', () => {
    const { leaves } = chooseTables([], known);
    expect(leaves).toEqual(
      known.filter(({ holdsRows, extension }) => holdsRows && extension === null).map(({ name }) => name),
    );
  });

  it.each([
    ['ORDERS', 'no table named "ORDERS". Did you mean "public.orders" or "public.Orders" or "audit.orders"?'],
    ['ordrs', 'Did you mean "orders"?'],
    ['nothing_like_it', 'no table named "nothing_like_it".'],
    ['empty', 'the backup holds no rows of public.empty'],
    ['halves', 'of public.halves the backup holds no rows of public.half_2'],
    ['glad', 'public.glad is a view'],
    ['spatial', 'belongs to the extension postgis'],
    ['emp*', 'the backup holds rows of none of them'],
    ['a.b.c', 'is not a table name'],
  ])('%j are refused: %s', (pattern, message) => {
    expect(() => chooseTables([pattern], known)).toThrow(message);
  });

  it('that nothing bears are refused by the facts alone', () => {
    expect(() => refuseUnknownTables(['orders', 'odrers'], ['public.orders'])).toThrow('Did you mean "orders"?');
    expect(() => refuseUnknownTables(['orders', '*.o*'], ['public.orders'])).not.toThrow();
  });
});
