import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inOrder, type Restored, sqlFor } from '../../../src/engines/postgresql/merge-sql.ts';
import { identifier } from '../../../src/engines/postgresql/session.ts';
import type { ColumnShape, TableShape } from '../../../src/engines/postgresql/table-shapes.ts';

function column(name: string, given: Partial<ColumnShape> = {}): ColumnShape {
  return { name, type: 'integer', notNull: false, generated: false, identity: false, hasDefault: false, ...given };
}

function shape(name: string, given: Partial<TableShape> = {}): TableShape {
  const columns = given.columns ?? [column('id'), column('total')];
  return { oid: 1, name, partitioned: false, columns, key: ['id'], sequences: [], references: [], ...given };
}

function restored(name: string, given: Partial<TableShape> = {}, live: Partial<TableShape> | null = given): Restored {
  return { name, into: `r.${name}`, shape: shape(name, given), live: live === null ? undefined : shape(name, live) };
}

it('leaves generated columns out, and lets identity columns be given', () => {
  const columns = [column('id', { identity: true }), column('a'), column('b', { generated: true })];
  const { merge } = sqlFor(restored('t', { columns }));
  expect(merge).toContain('INSERT INTO t ("id", "a") OVERRIDING SYSTEM VALUE\n');
  expect(merge).not.toContain('"b"');
  expect(merge).toContain('-- UPDATE ONLY t AS l SET "a" = r."a"\n');
});

it('casts what is of another type live, and says what only one of them has', () => {
  const live = { columns: [column('id', { type: 'bigint' }), column('new', { notNull: true })] };
  const { merge } = sqlFor(restored('t', {}, live));
  expect(merge).toContain('SELECT r."id"::bigint FROM');
  expect(merge).toContain('-- The live table has no column total: left out.\n');
  expect(merge).toContain('-- Rows that are inserted need a value for new: add one.\n');
});

it('compares whole rows where the keys are not the same', () => {
  expect(sqlFor(restored('t', {}, { key: ['total'] })).differences).toContain('EXCEPT ALL');
  expect(sqlFor(restored('t', {}, { key: ['id'] })).differences).not.toContain('EXCEPT ALL');
});

it('says it when there is nothing to compare', () => {
  expect(sqlFor(restored('t', {}, { columns: [column('other')] })).merge).toContain('no column in common');
  expect(sqlFor(restored('t', {}, null)).merge).toContain('-- ALTER TABLE r.t SET SCHEMA');
});

it('puts tables first that others refer to, and ends where they refer to each other', () => {
  const names = (list: Restored[]) => inOrder(list).map(({ name }) => name);
  expect(names([restored('a', { references: ['b'] }), restored('b', { references: ['c'] }), restored('c')])).toEqual([
    'c',
    'b',
    'a',
  ]);
  expect(names([restored('a', { references: ['b'] }), restored('b', { references: ['a'] })])).toEqual(['b', 'a']);
});

it('moves a sequence ahead only, whichever way it counts', () => {
  const sequences = [{ column: 'id', sequence: 's', ascending: false }];
  expect(sqlFor(restored('t', { sequences })).merge).toContain('LEAST((SELECT min("id") FROM ONLY t), last_value)');
});

/** What is left when comments, quoted names and literals are taken out. */
function bare(sql: string): string {
  const code = sql.replaceAll(/(?:U&)?"(?:[^"]|"")*"|(?:U&)?'(?:[^']|'')*'|--[^\n\r]*/g, (piece) =>
    piece.startsWith('-') ? '' : '?',
  );
  return code.replaceAll(/\s+/g, ' ');
}

it('lets no name out of its quotes, nor out of a comment', () => {
  const odd = fc.string({
    unit: fc.constantFrom('"', "'", '\n', '\r', '\t', '\u202e', '-', ';', '\\', '$', ' ', 'x', '🐘', '/', '*'),
    minLength: 1,
  });
  fc.assert(
    fc.property(odd, odd, odd, fc.boolean(), (table, key, other, hasKey) => {
      fc.pre(key !== other);
      const columns = [column(key), column(other)];
      const sequences = [{ column: key, sequence: `"q".${identifier(other)}`, ascending: true }];
      const given = { columns, sequences, key: hasKey ? [key] : [] };
      const { differences, merge } = sqlFor({
        ...restored(`"n".${identifier(table)}`, given),
        into: `"r".${identifier(table)}`,
      });
      const plain = [column('k'), column('o')];
      const plainly = {
        columns: plain,
        sequences: [{ column: 'k', sequence: '"q"."s"', ascending: true }],
        key: hasKey ? ['k'] : [],
      };
      const same = sqlFor({ ...restored('"n"."t"', plainly), into: '"r"."t"' });
      expect(bare(differences)).toBe(bare(same.differences));
      expect(bare(merge)).toBe(bare(same.merge));
      expect(`${differences}${merge}`).not.toMatch(/[\r\t\u202e]/);
      expect(merge.split('\n')).toHaveLength(same.merge.split('\n').length);
    }),
  );
});
