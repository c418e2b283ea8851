import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareFacts } from '../../../src/core/compare-facts.ts';
import { Facts } from '../../../src/core/facts.ts';
import type { Finding } from '../../../src/core/report.ts';
import { mergeSequences, readSequences } from '../../../src/engines/postgresql/facts.ts';
import type { Session } from '../../../src/engines/postgresql/session.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { programsWithExtension } from '../../servers/programs-with-extension.ts';
import { tamperings } from './facts-tampering.ts';
import { createHardDatabase } from './hard-database.ts';
import { factsIn, openTestSession, restoreInto, runClient } from './reading-facts.ts';

const SAME = { sameMajor: true, scope: 'full' } as const;
describe('a database that is hard on tools, dumped and restored', () => {
  let programs: { binDir: string; remove: () => void };
  let source: TestPostgres;
  let target: TestPostgres;
  let expected: Facts;
  let restored: Session;

  beforeAll(async () => {
    programs = programsWithExtension();
    source = await startPostgres({ major: 15, binDir: programs.binDir });
    target = await startPostgres({ major: 15, binDir: programs.binDir });
    await createHardDatabase(source);
    expected = await dumpUnderWriter(source, target);
    restored = await openTestSession(target, 'hard');
  });
  afterAll(async () => {
    await restored?.close();
    await source?.stop();
    await target?.stop();
    programs?.remove();
  });

  async function findingsAfter(sql: string, level: Facts['level'] = 'fingerprints'): Promise<Finding[]> {
    await restored.execute('BEGIN');
    try {
      await restored.execute(sql);
      return compareFacts({ ...expected, level }, await factsIn(restored, { level }), SAME);
    } finally {
      await restored.execute('ROLLBACK');
    }
  }

  it('gives facts that the format can hold', () => {
    expect(Facts.parse(JSON.parse(JSON.stringify(expected)))).toEqual(expected);
  });

  it('raises no alarm, and says how much was compared', async () => {
    const findings = compareFacts(expected, await factsIn(restored), SAME);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const numbers = Object.fromEntries(findings.map((finding) => [finding.rule, finding.numbers]));
    expect(numbers['facts-tables']).toMatchObject({ tables: 21, rows: 828 });
    expect(numbers['facts-fingerprints']).toMatchObject({ tables: 21 });
    expect(numbers['facts-large-objects']).toMatchObject({ count: 3, bytes: 113_003 });
    expect(numbers['facts-roles']).toMatchObject({ roles: 6 });
    expect(numbers['facts-settings']).toMatchObject({ settings: 4 });
    expect(numbers['facts-schema']?.objects).toBeGreaterThan(400);
  });

  it('counts, of what an extension brings, the rows that users put into its configuration tables', () => {
    const tables = Object.fromEntries(expected.tables.map(({ name, rows }) => [name, rows]));
    expect(tables).toMatchObject({ 'shop.rates': 1, 'shop.jobs': 5, 'shop.priced': 2 });
    expect(tables).not.toHaveProperty('shop.fixed');
    expect(expected.sequences).toContainEqual(expect.objectContaining({ name: 'shop.jobs_id_seq' }));
    expect(expected.schema.filter(({ kind }) => kind === 'table')).not.toContainEqual(
      expect.objectContaining({ identity: 'shop.rates' }),
    );
    expect(expected.schema).toContainEqual(
      expect.objectContaining({ kind: 'foreign-key', identity: 'priced_name_fkey on shop.priced' }),
    );
  });

  it('lets a sequence under a writer stand anywhere between its readings, and nowhere else', async () => {
    const ticket = expected.sequences.find(({ name }) => name === 'app.ticket');
    expect(ticket).toMatchObject({ before: { value: '10' }, after: { value: '30' } });
    expect(await target.psql('SELECT last_value FROM app.ticket', 'hard')).toBe('20');
  });

  it.each([...tamperings])('is found out after: %s', async (sql, rules, words) => {
    const findings = (await findingsAfter(sql)).filter(({ status }) => status !== 'pass');
    expect(findings.map(({ message }) => message).join('\n')).toMatch(words);
    expect(findings.map(({ rule, status }) => `${status} ${rule}`).sort()).toEqual(
      rules.map((rule) => `fail ${rule}`).sort(),
    );
  });

  // setval is no part of a transaction: put back by hand.
  it.each<[string, string, RegExp]>([
    [`setval('app.down', 90)`, `setval('app.down', 95)`, /app\.down: expected 95, found 90/],
    [`setval('app.ticket', 9)`, `setval('app.ticket', 20)`, /app\.ticket: expected between 10 and 30, found 9/],
    [`setval('app.ticket', 31)`, `setval('app.ticket', 20)`, /app\.ticket: expected between 10 and 30, found 31/],
    [
      `setval('app."Set By Hand"', 9007199254740992, false)`,
      `setval('app."Set By Hand"', 9007199254740993, false)`,
      /found 9007199254740992 \(not yet called\)/,
    ],
    [
      `setval('app.untouched', 77, true)`,
      `setval('app.untouched', 77, false)`,
      /app\.untouched: expected 77 \(not yet called\), found 77/,
    ],
  ])('is found out after %s', async (tamper, repair, words) => {
    await restored.query(`SELECT ${tamper}`);
    const findings = compareFacts(expected, await factsIn(restored), SAME).filter(({ status }) => status !== 'pass');
    await restored.query(`SELECT ${repair}`);
    expect(findings).toMatchObject([
      { rule: 'facts-sequences', status: 'fail', message: expect.stringMatching(words) },
    ]);
  });

  it('does not see the order of rows, which a table does not have', async () => {
    const findings = await findingsAfter(`CREATE TEMP TABLE rows AS SELECT * FROM app.hashed_0 ORDER BY id DESC;
      TRUNCATE app.hashed_0; INSERT INTO app.hashed_0 SELECT * FROM rows`);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
  });

  it('counts only: a changed value is not seen, a lost row is', async () => {
    const changed = await findingsAfter(`UPDATE app.vehicles SET plate = 'changed' WHERE id = 1`, 'counts');
    expect(changed.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(changed.map(({ rule }) => rule)).not.toContain('facts-fingerprints');
    const lost = await findingsAfter('DELETE FROM app.vehicles WHERE id = 1', 'counts');
    expect(lost.filter(({ status }) => status !== 'pass').map(({ rule }) => rule)).toEqual(['facts-tables']);
  });
});

/** Snapshot, facts and dump of one moment, while somebody takes tickets before and after it. */
async function dumpUnderWriter(source: TestPostgres, target: TestPostgres): Promise<Facts> {
  const takeTen = () => source.psql(`SELECT nextval('app.ticket') FROM generate_series(1, 10)`, 'hard');
  const control = await openTestSession(source, 'hard');
  const before = await readSequences(control);
  await takeTen();
  await control.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { id } = await control.one<{ id: string }>('SELECT pg_export_snapshot() AS id');
  await source.psql(
    `DELETE FROM app.vehicles WHERE id = 2; INSERT INTO app.hashed VALUES (99, 'after the snapshot')`,
    'hard',
  );
  const dump = await runClient(source, 'pg_dump', ['-Fc', '-Z0', `--snapshot=${id}`, '-d', source.urlOf('hard')]);
  const facts = await factsIn(control);
  await control.execute('COMMIT');
  await takeTen();
  const merged = mergeSequences(facts, before, await readSequences(control));
  await control.close();
  expect(merged.findings).toEqual([]);
  await restoreInto(target, source, 'hard', dump);
  return merged.facts;
}
