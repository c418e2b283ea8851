import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { Artifact, Manifest } from '../../../src/core/manifest.ts';
import { findDanglingKeys, keyEntries, parseArchiveList } from '../../../src/engines/postgresql/archive-list.ts';
import { settingStatement } from '../../../src/engines/postgresql/restore-database.ts';
import { explainRestore } from '../../../src/engines/postgresql/restore-failure.ts';
import { planPhases } from '../../../src/engines/postgresql/restore-plan.ts';
import { planPasses } from '../../../src/engines/postgresql/restore-spooled.ts';
import { estimateScratchBytes } from '../../../src/engines/postgresql/scratch-space.ts';
import { artifactOf, manifestOf } from '../../fixtures.ts';

const GIB = 2 ** 30;

function manifest(scope: Manifest['scope'], parts: readonly Partial<Artifact>[]): Manifest {
  const artifacts = parts.map((part) => ({ ...artifactOf(`${part.role}.dump.zst`, Buffer.alloc(10)), ...part }));
  return manifestOf({ source: 'orders', id: 'x', scope, takenAt: new Date(0), artifacts });
}

it.each([
  { scope: 'full' as const, roles: ['dump', 'globals'] as const, steps: ['dump all'] },
  { scope: 'schema' as const, roles: ['schema'] as const, steps: ['schema all'] },
  {
    scope: 'data' as const,
    roles: ['schema', 'data'] as const,
    steps: ['schema pre-data', 'data all', 'schema post-data'],
  },
  {
    scope: 'full' as const,
    roles: ['pre-data', 'post-data', 'data', 'data'] as const,
    steps: ['pre-data all', 'data all, data all', 'post-data post-data'],
  },
])('restores $roles in the order $steps', ({ scope, roles, steps }) => {
  const parts = roles.map((role) => ({ role, ...(role === 'globals' && { format: 'sql' as const }) }));
  const planned = planPhases(manifest(scope, parts)).map((phase) =>
    phase.map(({ artifact, sections }) => `${artifact.role} ${sections.join() || 'all'}`).join(', '),
  );
  expect(planned).toEqual(steps);
});

it('refuses a manifest that names no archive', () => {
  expect(() => planPhases(manifest('full', [{ role: 'globals', format: 'sql' }]))).toThrow(/no archive/);
});

const list = `;
; Archive created at 2026-11-21
10; 1259 1 TABLE public a boss
11; 1259 2 TABLE public b boss
12; 1259 3 TABLE Odd Schema my table boss
13; 1259 4 TABLE public parted boss
14; 1259 5 TABLE public part_1 boss
15; 1259 6 TABLE public part_2 boss
16; 1259 7 TABLE public bare boss
17; 0 0 TABLE ATTACH public part_1 boss
18; 0 0 TABLE ATTACH public part_2 boss
20; 0 1 TABLE DATA public a boss
21; 0 5 TABLE DATA public part_1 boss
30; 2606 1 FK CONSTRAINT public a to_a boss
31; 2606 2 FK CONSTRAINT public a to_b boss
`;

function sql(...statements: [number, string][]): string {
  return statements
    .map(([id, text]) => `--\n-- TOC entry ${id} (class 1 OID 1)\n-- Name: x\n--\n\n${text}\n\n`)
    .join('');
}

const key = (name: string, to: string) =>
  `ALTER TABLE ONLY public.a\n    ADD CONSTRAINT ${name} FOREIGN KEY (x, "y z") REFERENCES ${to}(id);`;
const attach = (part: string) => `ALTER TABLE ONLY public.parted ATTACH PARTITION public.${part} FOR VALUES IN (1);`;
const parted = (name: string) => `CREATE TABLE public.${name} (\n    id integer\n)\nPARTITION BY LIST (id);`;

it('finds foreign keys into tables whose rows are not there', () => {
  const entries = parseArchiveList(list);
  expect(keyEntries(entries).map(({ id }) => id)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 30, 31]);
  const found = findDanglingKeys(
    entries,
    sql(
      [13, parted('parted')],
      [16, parted('bare')],
      [17, attach('part_1')],
      [30, key('to_a', 'public.a')],
      [31, key('to_b', 'public.b')],
      [32, key('"to odd"', '"Odd Schema"."my table"')],
      [33, key('to_parted', 'public.parted')],
      [34, key('to_bare', 'public.bare')],
      [35, key('to_extension', 'postgis.spatial_ref_sys')],
    ),
  );
  expect(found.map(({ constraint }) => constraint)).toEqual(['public.a to_b', 'public.a "to odd"']);
});

it('takes a partitioned table for whole only when all its partitions are', () => {
  const statements = sql(
    [13, parted('parted')],
    [17, attach('part_1')],
    [18, attach('part_2')],
    [33, key('k', 'public.parted')],
  );
  expect(findDanglingKeys(parseArchiveList(list), statements)).toHaveLength(1);
});

it.each([
  { setting: 'work_mem=5MB', sql: `ALTER DATABASE "d" SET "work_mem" TO '5MB'` },
  {
    setting: 'search_path="$user", public, "a, b"',
    sql: `ALTER DATABASE "d" SET "search_path" TO '$user', 'public', 'a, b'`,
  },
  { setting: 'search_path=""', sql: `ALTER DATABASE "d" SET "search_path" TO ''` },
  { setting: "app.title=it's = fine", sql: `ALTER DATABASE "d" SET "app.title" TO 'it''s = fine'` },
])('sets $setting as the catalog holds it', ({ setting, sql: expected }) => {
  expect(settingStatement('"d"', null, setting)).toBe(expected);
  expect(settingStatement('"d"', 'a role', setting)).toBe(
    expected.replace('DATABASE "d"', 'ROLE "a role" IN DATABASE "d"'),
  );
});

it.each([
  { why: 'a source full of dead rows', database: 100 * GIB, plain: GIB, atMost: 3 * GIB },
  { why: 'a database of few bytes', database: GIB, plain: 100 * GIB, atMost: 2 * GIB },
])('needs no more room than the smaller bound, for $why', ({ database, plain, atMost }) => {
  const one = manifest('full', [{ role: 'dump', plainBytes: plain }]);
  const bytes = estimateScratchBytes({ ...one, totals: { ...one.totals, databaseBytes: database } }, plain / 10);
  expect(bytes).toBeGreaterThan(GIB);
  expect(bytes).toBeLessThan(atMost);
});

it.each([
  { said: 'pg_restore: error: COPY failed for table "a": ERROR:  duplicate key', code: 'restore-failed' },
  { said: 'pg_restore: error: could not extend file "base/1": No space left on device', code: 'disk-full' },
  {
    said: 'pg_restore: error: could not execute query: server closed the connection unexpectedly',
    code: 'scratch-failed',
  },
  { said: 'pg_restore: error: could not execute query: ERROR:  deadlock detected', code: 'scratch-failed' },
  { said: 'pg_restore: error: could not execute query: ERROR:  out of memory', code: 'scratch-failed' },
  { said: 'pg_restore: error: could not extend file "base/1": Read-only file system', code: 'scratch-failed' },
  { said: 'pg_restore was killed by SIGKILL.', code: 'scratch-failed' },
  { said: 'zstd was killed by SIGTERM.', code: 'scratch-failed' },
])('tells what "$said" says of the backup', ({ said, code }) => {
  expect(explainRestore(new Failure('tool-failed', said), 'database.dump.zst')).toMatchObject({ code });
});

const definitions = (attach: string, between = '') => `10; 1259 1 TABLE public parted boss
${attach}
40; 1259 9 INDEX public by_name boss
41; 0 0 COMMENT public INDEX by_name boss
${between}
42; 2606 3 CONSTRAINT public parted parted_pkey boss
43; 0 0 INDEX ATTACH public part_1_pkey boss
50; 2620 4 TRIGGER public parted touch boss
51; 2606 5 FK CONSTRAINT public parted to_other boss
52; 3466 6 EVENT TRIGGER - watch boss
`;

it.each([
  {
    what: 'all at once without partitions',
    list: definitions(''),
    parallel: [10, 40, 41, 42, 43, 50, 51, 52],
    after: [],
  },
  {
    what: 'with partitions the indexes, then attaching them and the rest one by one',
    list: definitions('17; 0 0 TABLE ATTACH public part_1 boss'),
    parallel: [40, 41, 42],
    after: [10, 17, 43, 50, 51, 52],
  },
  {
    what: 'with partitions no index that may need what comes before it',
    list: definitions('17; 0 0 TABLE ATTACH public part_1 boss', '44; 1259 8 MATERIALIZED VIEW public m boss'),
    parallel: [40, 41],
    after: [10, 17, 44, 42, 43, 50, 51, 52],
  },
])('makes in parallel $what', ({ list, parallel, after }) => {
  const passes = planPasses(parseArchiveList(list));
  const idsOf = (wanted: boolean) =>
    passes.filter(({ jobs }) => jobs === wanted).flatMap(({ entries }) => entries.map(({ id }) => id));
  expect(idsOf(true)).toEqual(parallel);
  expect(idsOf(false)).toEqual(after);
});

it('needs room for the log of rows that come after their tables', () => {
  const plain = 10 * GIB;
  const room = (role: Artifact['role']) => {
    const one = manifest('full', [{ role, plainBytes: plain }]);
    return estimateScratchBytes({ ...one, totals: { ...one.totals, databaseBytes: plain } }, plain / 10);
  };
  expect(room('data') - room('dump')).toBe(4 * GIB);
});
