import { describe, expect, it } from 'vitest';
import { type ComparisonGiven, compareAndTabulate, compareFacts } from '../../src/core/compare-facts.ts';
import type { Facts } from '../../src/core/facts.ts';
import { emptyFacts } from './empty-facts.ts';

const FULL: ComparisonGiven = { sameMajor: true, scope: 'full' };

/** The finding of one rule, comparing facts that differ only in what is given. */
function compared(rule: string, expected: Partial<Facts>, found: Partial<Facts>, given = FULL) {
  return compareFacts({ ...emptyFacts, ...expected }, { ...emptyFacts, ...found }, given).find(
    (finding) => finding.rule === rule,
  );
}

const table = (name: string, rows: number, sum?: string) =>
  sum === undefined ? { name, rows } : { name, rows, fingerprint: `v1:${rows}:${sum}` };
const fact = (kind: string, identity: string, digest = 'd') => ({ kind, identity, digest });
const sequence = (before: string, after: string, more: Partial<Facts['sequences'][number]> = {}) => ({
  ...{ name: 's', increment: '1', cycle: false },
  before: { value: before, isCalled: true },
  after: { value: after, isCalled: true },
  ...more,
});
const role = (name: string, more: Partial<Facts['roles'][number]> = {}) => ({
  ...{ name, attributes: [], memberOf: [], settings: [] },
  ...more,
});

it('says what to do about every difference', () => {
  const found = compared('facts-tables', { tables: [table('app.orders', 3)] }, { tables: [table('app.orders', 2)] });
  expect(found).toMatchObject({
    status: 'fail',
    hint: expect.stringMatching(/^This backup does not hold what was there/),
  });
});

describe('what is compared', () => {
  const rules = (given: ComparisonGiven, facts: Partial<Facts> = {}) =>
    compareFacts({ ...emptyFacts, ...facts }, { ...emptyFacts, ...facts }, given).map(({ rule }) => rule);

  it('is every aspect that a full backup holds', () => {
    const migration = { tool: 'Flyway', table: 'f', newest: '1' };
    expect(rules(FULL, { level: 'fingerprints', migration })).toEqual([
      'facts-tables',
      'facts-fingerprints',
      'facts-materialized-views',
      'facts-sequences',
      'facts-schema',
      'facts-extensions',
      'facts-roles',
      'facts-large-objects',
      'facts-settings',
      'facts-migration',
    ]);
  });

  it('is no rows in a backup of the schema, and no large objects in one of some tables', () => {
    const none = { largeObjects: null };
    expect(rules({ ...FULL, scope: 'schema' }, none)).toEqual([
      'facts-schema',
      'facts-extensions',
      'facts-roles',
      'facts-settings',
    ]);
    expect(rules({ ...FULL, scope: 'tables' }, none)).toContain('facts-tables');
    expect(rules({ ...FULL, scope: 'data' })).toContain('facts-tables');
    expect(rules({ ...FULL, scope: 'data' })).not.toContain('facts-materialized-views');
    expect(rules({ ...FULL, scope: 'tables' }, none)).not.toContain('facts-large-objects');
  });
});

describe('tables', () => {
  const expected = { tables: [table('a', 10), table('b', 0)] };

  it('pass with numbers', () => {
    expect(compared('facts-tables', expected, expected)).toEqual({
      rule: 'facts-tables',
      status: 'pass',
      message: '2 tables hold 10 rows, as in the snapshot.',
      numbers: { tables: 2, rows: 10, differences: 0 },
    });
  });

  it.each<[string, Facts['tables'], string]>([
    ['fewer rows', [table('a', 9), table('b', 0)], '1 difference: table a: expected 10 rows, found 9 rows.'],
    ['more rows', [table('a', 10), table('b', 1)], '1 difference: table b: expected 0 rows, found 1 row.'],
    ['a missing table, though it was empty', [table('a', 10)], '1 difference: table b is missing.'],
    [
      'an extra table, though it is empty',
      [...expected.tables, table('c', 0)],
      '1 difference: table c was not in the snapshot.',
    ],
    ['nothing', [], '2 differences: table a is missing; table b is missing.'],
  ])('fail on %s', (_, tables, message) => {
    expect(compared('facts-tables', expected, { tables })).toMatchObject({ status: 'fail', message });
  });

  it('are named up to twenty, and listed in full in a table', () => {
    const tables = Array.from({ length: 1_025 }, (_, i) => table(`t${i}`, 1));
    const finding = compared('facts-tables', { tables }, {});
    expect(finding?.message).toMatch(
      /^1,025 differences: table t0 is missing; .*; table t19 is missing; and 1,005 more\.$/,
    );
    expect(finding?.numbers).toMatchObject({ differences: 1_025 });
    const [all] = compareAndTabulate({ ...emptyFacts, tables }, emptyFacts, FULL).tables;
    expect(all?.rows).toHaveLength(1_025);
    expect(all?.rows[1_024]).toEqual(['facts-tables', 'table t1024', '1 row', 'absent']);
    expect(all?.folded).toBe(true);
  });

  it('have no table of differences where nothing differs', () => {
    expect(compareAndTabulate(emptyFacts, emptyFacts, FULL).tables).toEqual([]);
  });
});

describe('fingerprints', () => {
  const level = 'fingerprints' as const;
  const expected = { level, tables: [table('a', 2, '7'), table('b', 1, '-3')] };

  it('tell a changed value where the count is the same', () => {
    const found = { level, tables: [table('a', 2, '8'), table('b', 1, '-3')] };
    expect(compared('facts-tables', expected, found)?.status).toBe('pass');
    expect(compared('facts-fingerprints', expected, found)).toMatchObject({
      status: 'fail',
      message: '1 difference: values of table a: expected v1:2:7, found v1:2:8.',
    });
  });

  it('are unknown, and no pass, where one side has none or another kind', () => {
    const counts = { level: 'counts' as const, tables: [table('a', 2), table('b', 1)] };
    expect(compared('facts-fingerprints', expected, counts)).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining('table a has no fingerprint to compare with'),
    });
    const newer = { level, tables: [{ ...table('a', 2), fingerprint: 'v2:x' }, table('b', 1, '-3')] };
    expect(compared('facts-fingerprints', expected, newer)?.status).toBe('unknown');
  });

  it('leave a missing table to the tables', () => {
    expect(compared('facts-fingerprints', expected, { level, tables: [table('a', 2, '7')] })).toMatchObject({
      status: 'pass',
      numbers: { tables: 1 },
    });
  });

  it('are not judged when only counts were recorded', () => {
    expect(compared('facts-fingerprints', { tables: [table('a', 1)] }, expected)).toBeUndefined();
  });
});

describe('sequences', () => {
  it.each<[string, Facts['sequences'][number], string, 'pass' | 'fail' | 'unknown']>([
    ['at its first reading', sequence('10', '20'), '10', 'pass'],
    ['between its readings', sequence('10', '20'), '15', 'pass'],
    ['at its second reading', sequence('10', '20'), '20', 'pass'],
    ['before its first reading', sequence('10', '20'), '9', 'fail'],
    ['behind its second reading', sequence('10', '20'), '21', 'fail'],
    ['between, counting down', sequence('10', '-20', { increment: '-5' }), '0', 'pass'],
    ['behind, counting down', sequence('10', '-20', { increment: '-5' }), '-25', 'fail'],
    [
      'before its first reading, beyond 2^53',
      sequence('9007199254740993', '9007199254740993'),
      '9007199254740992',
      'fail',
    ],
    ['in between, though it was set back', sequence('20', '10'), '15', 'unknown'],
    ['at its first reading, though it was set back', sequence('20', '10'), '20', 'unknown'],
    ['behind its first reading, having started over', sequence('8', '2', { cycle: true }), '9', 'pass'],
    ['before its second reading, having started over', sequence('8', '2', { cycle: true }), '1', 'pass'],
    ['in neither range, having started over', sequence('8', '2', { cycle: true }), '5', 'unknown'],
  ])('%s', (_, expected, value, status) => {
    const found = sequence(value, value, { increment: expected.increment });
    expect(compared('facts-sequences', { sequences: [expected] }, { sequences: [found] })?.status).toBe(status);
  });

  it('count whether they were called', () => {
    const uncalled = { value: '1', isCalled: false };
    const [expected, found] = [sequence('1', '1', { before: uncalled, after: uncalled }), sequence('1', '1')];
    expect(compared('facts-sequences', { sequences: [expected] }, { sequences: [found] })).toMatchObject({
      status: 'fail',
      message: '1 difference: sequence s: expected 1 (not yet called), found 1.',
    });
  });

  it('fail when missing; one more is the business of the schema', () => {
    expect(compared('facts-sequences', { sequences: [sequence('1', '1')] }, {})?.message).toContain(
      'sequence s is missing',
    );
    expect(compared('facts-sequences', {}, { sequences: [sequence('1', '1')] })?.status).toBe('pass');
  });
});

describe('the schema', () => {
  const schema = [fact('column', 'public.a.x'), fact('table', 'public.a'), fact('schema', 'public')];

  it.each<[string, Facts['schema'], string]>([
    [
      'missing, a table before its columns',
      [fact('schema', 'public')],
      '2 differences: table public.a is missing; column public.a.x is missing.',
    ],
    ['extra', [...schema, fact('index', 'public.i')], '1 difference: index public.i was not in the snapshot.'],
    [
      'different',
      [fact('column', 'public.a.x', 'e'), ...schema.slice(1)],
      '1 difference: column public.a.x: expected its definition, found another.',
    ],
  ])('names what is %s', (_, found, message) => {
    expect(compared('facts-schema', { schema }, { schema: found })).toMatchObject({ status: 'fail', message });
  });

  it('compares names only between majors', () => {
    const other = schema.map((one) => ({ ...one, digest: 'other' }));
    const across = { ...FULL, sameMajor: false };
    expect(compared('facts-schema', { schema }, { schema: other }, across)?.status).toBe('pass');
    expect(compared('facts-schema', { schema }, { schema: other.slice(1) }, across)?.status).toBe('fail');
  });

  it('forgives another owner of the schema public between majors, and nowhere else', () => {
    const owned = (by: string) => ({ schema: [fact('owner', `schema public owned by ${by}`)] });
    const across = { ...FULL, sameMajor: false };
    expect(compared('facts-schema', owned('postgres'), owned('pg_database_owner'), across)?.status).toBe('pass');
    expect(compared('facts-schema', owned('postgres'), owned('pg_database_owner'))?.status).toBe('fail');
  });

  it('forgives a schema public that the source had dropped, but nothing in it', () => {
    const made = [
      fact('schema', 'public'),
      fact('owner', 'schema public owned by pg_database_owner'),
      fact('grant', 'schema public to PUBLIC'),
      fact('comment', 'schema public'),
    ];
    expect(compared('facts-schema', {}, { schema: made })?.status).toBe('pass');
    expect(compared('facts-schema', {}, { schema: [...made, fact('table', 'public.t')] })?.message).toBe(
      '1 difference: table public.t was not in the snapshot.',
    );
    const more = [...made, fact('grant', 'schema public to eve')];
    expect(compared('facts-schema', { schema: made }, { schema: more })?.status).toBe('fail');
  });
});

describe('materialized views, large objects, the newest migration', () => {
  it('fail when they are not as they were', () => {
    const views = (populated: boolean) => ({ materializedViews: [{ name: 'v', populated }] });
    expect(compared('facts-materialized-views', views(true), views(false))?.message).toBe(
      '1 difference: materialized view v: expected populated, found not populated.',
    );
    expect(compared('facts-materialized-views', views(false), views(true))?.status).toBe('fail');
    expect(compared('facts-materialized-views', views(false), {})?.message).toContain('view v is missing');
    const objects = (count: number, bytes: number) => ({ largeObjects: { count, bytes } });
    expect(compared('facts-large-objects', objects(2, 5_000), objects(2, 4_999))?.message).toBe(
      '1 difference: large objects: expected 2 of 5,000 bytes, found 2 of 4,999 bytes.',
    );
    expect(compared('facts-large-objects', objects(1, 0), { largeObjects: null })?.status).toBe('fail');
    const migration = (newest: string) => ({ migration: { tool: 'Rails', table: 'public.m', newest } });
    expect(compared('facts-migration', migration('2'), migration('1'))?.message).toBe(
      '1 difference: newest migration in public.m (Rails): expected 2, found 1.',
    );
    expect(compared('facts-migration', migration('2'), {})?.status).toBe('fail');
  });
});

describe('extensions', () => {
  const hstore = { name: 'hstore', version: '1.8', schema: 'ext' };

  it('pass with another version, and tell it', () => {
    const found = { extensions: [{ ...hstore, version: '1.7' }] };
    expect(compared('facts-extensions', { extensions: [hstore] }, found)).toMatchObject({
      status: 'pass',
      message: '1 extension is there, with other versions: hstore 1.7 instead of 1.8.',
    });
  });

  it('fail when missing, elsewhere or more', () => {
    expect(compared('facts-extensions', { extensions: [hstore] }, {})?.message).toContain(
      'extension hstore is missing',
    );
    const moved = { extensions: [{ ...hstore, schema: 'public' }] };
    expect(compared('facts-extensions', { extensions: [hstore] }, moved)?.status).toBe('fail');
    expect(compared('facts-extensions', {}, { extensions: [hstore] })?.status).toBe('fail');
  });

  it('forgive a plpgsql that the source had dropped: every new database has it', () => {
    const found = { extensions: [{ name: 'plpgsql', version: '1.0', schema: 'pg_catalog' }] };
    expect(compared('facts-extensions', {}, found)?.status).toBe('pass');
    expect(compared('facts-extensions', found, {})?.status).toBe('fail');
  });
});

describe('roles and settings', () => {
  const expected = { roles: [role('app', { attributes: ['LOGIN'], memberOf: ['reader WITH ADMIN'] })] };

  it.each<[string, Facts['roles'], string]>([
    [
      'an attribute',
      [role('app', { memberOf: ['reader WITH ADMIN'] })],
      'role app: expected LOGIN; member of reader WITH ADMIN, found member of reader WITH ADMIN',
    ],
    ['a membership', [role('app', { attributes: ['LOGIN'] })], 'found LOGIN'],
    ['a setting', [role('app', { ...expected.roles[0], settings: ['work_mem=1MB'] })], 'SET work_mem=1MB'],
    ['a role', [], 'role app is missing'],
    ['one more role', [...expected.roles, role('eve')], 'role eve was not in the snapshot'],
  ])('differ by %s', (_, roles, words) => {
    expect(compared('facts-roles', expected, { roles })).toMatchObject({
      status: 'fail',
      message: expect.stringContaining(words),
    });
  });

  it('of a foreign server are its own: only a missing one is told, as a warning', () => {
    const foreign = { ...FULL, foreignServer: true };
    const found = { roles: [role('app'), role('somebody else', { attributes: ['SUPERUSER'] })] };
    expect(compared('facts-roles', expected, found, foreign)?.status).toBe('pass');
    expect(compared('facts-roles', expected, {}, foreign)).toMatchObject({
      status: 'warn',
      message: '1 difference: role app is missing.',
    });
  });

  it('of the database are named with their values, but for variables of the application', () => {
    const settings = (...all: string[]) => ({ settings: all.map((setting) => ({ role: null, setting })) });
    const finding = compared(
      'facts-settings',
      settings('work_mem=5MB', 'app.jwt_secret=s3cret=='),
      settings('work_mem=4MB', 'app.jwt_secret=0ther'),
    );
    expect(finding?.status).toBe('fail');
    expect(finding?.message).toContain('setting work_mem: expected 5MB, found 4MB');
    expect(finding?.message).toContain('setting app.jwt_secret: expected a value not shown here');
    expect(finding?.message).not.toMatch(/s3cret|0ther/);
  });

  it('of roles in the database count by role', () => {
    const setting = (name: string | null) => ({ settings: [{ role: name, setting: 'work_mem=5MB' }] });
    expect(compared('facts-settings', setting('app'), setting('app'))?.status).toBe('pass');
    expect(compared('facts-settings', setting('app'), setting(null))?.message).toBe(
      '2 differences: setting work_mem of role app is missing; setting work_mem was not in the snapshot.',
    );
    expect(compared('facts-settings', setting('app'), {}, { ...FULL, foreignServer: true })?.status).toBe('warn');
  });
});
