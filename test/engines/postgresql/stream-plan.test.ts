import { expect, it } from 'vitest';
import { isParallel, planGroups, type SizedTable } from '../../../src/engines/postgresql/stream-plan.ts';
import type { Relation } from '../../../src/engines/postgresql/tables.ts';

function sized(name: string, bytes: number, more: Partial<Relation> = {}): SizedTable {
  const none = { kind: 'r', unlogged: false, extension: null, configuration: false, condition: null } as const;
  const rest = { partitionOf: null, canSelect: true, rowsHidden: false };
  const table = { oid: 1, schema: 'public', relname: name, name: `public.${name}`, ...none, ...rest, ...more };
  return { table, bytes };
}

function named(tables: readonly SizedTable[], streams: number, otherBytes = 0): string[] {
  return planGroups(tables, { streams, otherBytes }).map(({ tables }) => tables.map((one) => one.relname).join(' '));
}

it('gives each table to the stream that has least, the largest first', () => {
  const tables = [sized('d', 30), sized('a', 100), sized('c', 40), sized('b', 60)];
  expect(named(tables, 2)).toEqual(['a d', 'b c']);
  expect(named(tables, 3)).toEqual(['a', 'b', 'c d']);
});

it('counts what the last stream holds besides tables', () => {
  expect(named([sized('a', 100), sized('b', 90)], 2, 1_000)).toEqual(['a b', '']);
});

it('makes no stream without a table but the last', () => {
  expect(named([sized('a', 1)], 4)).toEqual(['a', '']);
  expect(named([], 4)).toEqual(['']);
});

it('names some hundred of many thousand tables, and leaves the rest to the last stream', () => {
  const tables = Array.from({ length: 20_000 }, (_, at) => sized(`t${at}`, 20_000 - at));
  const groups = planGroups(tables, { streams: 4, otherBytes: 0 });
  const names = groups.slice(0, -1).flatMap(({ tables }) => tables.map((one) => one.relname));
  expect(names.length).toBeLessThanOrEqual(500);
  expect(names).toContain('t0');
  expect(names).not.toContain('t600');
});

it('bounds the names together, however long they are', () => {
  const tables = Array.from({ length: 500 }, (_, at) =>
    sized(`${'x'.repeat(60)}${at}`, 500, { schema: 'y'.repeat(63) }),
  );
  const groups = planGroups(tables, { streams: 2, otherBytes: 0 });
  const names = groups.flatMap(({ tables }) => tables.map((one) => one.schema + one.relname));
  expect(names.join('').length).toBeLessThan(48 << 10);
  expect(names.length).toBeGreaterThan(100);
});

it('leaves tables of extensions to the stream that holds their extension', () => {
  const tables = [sized('of_extension', 90, { extension: 'postgis', configuration: true }), sized('own', 80)];
  expect(named(tables, 3)).not.toContain('of_extension');
});

it.each([
  { jobs: 1, scope: 'full' as const, parallel: false },
  { jobs: 2, scope: 'full' as const, parallel: true },
  { jobs: 2, scope: 'tables' as const, parallel: true },
  { jobs: 2, scope: 'data' as const, parallel: false },
  { jobs: 2, scope: 'schema' as const, parallel: false },
])('takes scope $scope with $jobs jobs in several streams: $parallel', ({ parallel, ...given }) => {
  expect(isParallel(given)).toBe(parallel);
});
