import { describe, expect, it } from 'vitest';
import { type Relation, selectTables, type TableSelection } from '../../../src/engines/postgresql/tables.ts';

let oid = 0;
function relation(schema: string, relname: string, more: Partial<Relation> = {}): Relation {
  oid += 1;
  return {
    oid,
    schema,
    relname,
    name: `${schema}.${relname}`,
    kind: 'r',
    unlogged: false,
    extension: null,
    configuration: false,
    condition: null,
    partitionOf: null,
    canSelect: true,
    rowsHidden: false,
    ...more,
  };
}

const users = relation('public', 'users');
const upper = relation('public', 'User');
const audit = relation('audit', 'users');
const dotted = relation('odd.schema', 'a "b" c*');
const orders = relation('public', 'orders', { kind: 'p' });
const recent = relation('public', 'orders_2026', { partitionOf: orders.oid });
const view = relation('public', 'totals', { kind: 'm' });
const ofExtension = relation('postgis', 'topology', { extension: 'postgis' });
const configuration = relation('postgis', 'spatial_ref_sys', {
  extension: 'postgis',
  configuration: true,
  condition: 'WHERE true',
});
const all = [users, upper, audit, dotted, orders, recent, view, ofExtension, configuration];

function select(changes: Partial<TableSelection>) {
  const { dumped, withoutRows, excluded } = selectTables(all, {
    scope: 'full',
    tables: [],
    excludeTables: [],
    excludeTableData: [],
    ...changes,
  });
  const names = (list: readonly Relation[]) => list.map(({ name }) => name);
  return { dumped: names(dumped), withoutRows: names(withoutRows), excluded: names(excluded) };
}

describe('tables of a dump', () => {
  it('are all ordinary ones, partitions, and configuration tables of extensions', () => {
    expect(select({}).dumped).toEqual([
      'public.users',
      'public.User',
      'audit.users',
      'odd.schema.a "b" c*',
      'public.orders_2026',
      'postgis.spatial_ref_sys',
    ]);
  });

  it.each([
    ['users', ['public.users', 'audit.users']],
    ['public.users', ['public.users']],
    ['User', ['public.User']],
    ['*.users', ['public.users', 'audit.users']],
    ['public.?ser', ['public.User']],
    ['"odd.schema"."a ""b"" c*"', ['odd.schema.a "b" c*']],
    ['orders', ['public.orders_2026']],
    ['audit.*', ['audit.users']],
  ])('named %s are %j', (pattern, expected) => {
    expect(select({ scope: 'tables', tables: [pattern] }).dumped).toEqual(expected);
  });

  it('left out by name keep their definition or lose it, as was said', () => {
    const data = select({ excludeTableData: ['public.users', 'orders'] });
    expect(data.withoutRows).toEqual(['public.users', 'public.orders_2026']);
    expect(data.excluded).toEqual([]);
    expect(select({ excludeTables: ['orders'] }).excluded).toEqual(['public.orders', 'public.orders_2026']);
  });

  it('named for a partial dump leave materialized views unpopulated', () => {
    expect(select({ scope: 'tables', tables: ['public.users'] }).withoutRows).toContain('public.totals');
  });

  it.each([
    ['USERS', 'no table is named "USERS". Did you mean public.users or audit.users?'],
    ['public.nothing', 'no table is named "public.nothing"'],
    ['', 'is not a table name'],
    ['a.b.c', 'is not a table name'],
    ['"open', 'is not a table name'],
  ])('%j is refused', (pattern, message) => {
    expect(() => select({ scope: 'tables', tables: [pattern] })).toThrow(message);
  });
});
