import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DrillRecord } from '../../src/core/records.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { Job, type StepResult } from './runner.ts';

let pg: TestPostgres;

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE shop');
  await pg.psql(
    `CREATE TABLE orders AS SELECT g AS id, g * 2 AS total FROM generate_series(1, 1000) g;
     CREATE SEQUENCE invoices; CREATE MATERIALIZED VIEW turnover AS SELECT sum(total) FROM orders`,
    'shop',
  );
});

afterAll(async () => {
  await pg?.stop();
});

const assertions = 'there are orders: SELECT count(*) > 0 FROM orders\nthere are few: SELECT count(*) < 10 FROM orders';

interface Drilled {
  readonly backup: StepResult;
  readonly drill: StepResult;
  readonly report: Record<string, unknown> & { drill: { key: string; sha256: string; record: DrillRecord } };
  readonly stored: Buffer;
}

/** Backs up and drills, with objectives and assertions of which one fails. */
async function drilled(backupWith: Record<string, string>, drillWith: Record<string, string>): Promise<Drilled> {
  const folder = mkdtempSync('/var/tmp/lifeboat-evidence-');
  execFileSync('chmod', ['755', folder]);
  const workflow = 'acme/operations/.github/workflows/drill.yml@refs/heads/main';
  const job = new Job({ env: { GITHUB_WORKFLOW_REF: workflow, GITHUB_JOB: 'drill' } });
  onTestFinished(() => {
    job.end();
    rmSync(folder, { recursive: true, force: true });
  });
  const given = { source: 'shop', store: `file://${folder}/backups` };
  const backup = await job.runStep({
    action: 'backup',
    with: { ...given, 'database-url': pg.urlOf('shop'), ...backupWith },
  });
  expect(backup.exitCode, backup.log).toBe(0);
  const limits = { 'max-duration': '30m', 'max-data-loss': '26h', 'scratch-dir': join(folder, 'scratch') };
  const drill = await job.runStep({ action: 'restore-drill', with: { ...given, ...limits, assertions, ...drillWith } });
  const report = JSON.parse(readFileSync(drill.outputs['report-path'] ?? '', 'utf8'));
  const stored = readFileSync(join(folder, 'backups', drill.outputs['record-key'] ?? ''));
  return { backup, drill, report, stored };
}

describe('the record of a drill and its report', () => {
  it('say what was restored, when, by which run and commit, what was expected and found, and how long it took', async () => {
    const { backup, drill, report, stored } = await drilled({}, {});
    expect(drill.outputs).toMatchObject({ verdict: 'fail', proof: 'proven' });
    expect(report).toMatchObject({
      format: 1,
      action: 'restore-drill',
      tool: { name: 'lifeboat' },
      run: {
        url: 'https://github.example/acme/operations/actions/runs/4711/attempts/1',
        sha: '0123456789abcdef0123456789abcdef01234567',
        actor: 'octocat',
        workflow: 'acme/operations/.github/workflows/drill.yml@refs/heads/main',
        job: 'drill',
      },
      startedAt: expect.stringMatching(/Z$/),
      finishedAt: expect.stringMatching(/Z$/),
    });
    // An attested report vouches for the record in the store.
    expect(report.drill.key).toBe(drill.outputs['record-key']);
    expect(report.drill.sha256).toBe(createHash('sha256').update(stored).digest('hex'));
    const record = DrillRecord.parse(JSON.parse(stored.toString()));
    expect(report.drill.record).toEqual(record);

    const manifest = JSON.parse(
      readFileSync(`${new URL(backup.outputs.locations ?? '').pathname}/manifest.json`, 'utf8'),
    );
    const artifacts = (manifest.artifacts as { key: string; bytes: number; sha256: string }[]).map(
      ({ key, bytes, sha256 }) => ({ key, bytes, sha256, matched: true }),
    );
    const counts = { tables: 1, rows: 1000, sequences: 1, materializedViews: 1 };
    expect(record).toMatchObject({
      backup: backup.outputs['backup-id'],
      takenAt: manifest.takenAt,
      scope: 'full',
      artifacts,
      facts: { level: 'counts', expected: counts, found: counts },
      assertions: [
        { name: 'there are orders', sql: 'SELECT count(*) > 0 FROM orders', status: 'pass' },
        { name: 'there are few', sql: 'SELECT count(*) < 10 FROM orders', status: 'fail' },
      ],
      objectives: { maxDurationSeconds: 1800, maxDataLossSeconds: 93_600 },
      run: { job: 'drill' },
    });
    expect(record.facts?.found).toEqual(record.facts?.expected);
    expect(record.steps?.map(({ name }) => name)).toEqual([
      'reading facts',
      'starting the scratch server',
      'restoring',
      'comparing facts',
      'checking',
      'reading back',
    ]);
  });

  it('of an encrypted backup name no table', async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const { stored } = await drilled({ 'age-recipients': recipient }, { 'age-identity': identity });
    expect(stored.toString()).not.toMatch(/orders|invoices|turnover|few/);
    const record = DrillRecord.parse(JSON.parse(stored.toString()));
    expect(record.assertions).toEqual([{ status: 'pass' }, { status: 'fail' }]);
    expect(record.facts?.found).toMatchObject({ tables: 1, rows: 1000 });
  });

  it('of a drill that could not decrypt say that nothing was found', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const { drill, stored } = await drilled(
      { 'age-recipients': recipient },
      { 'age-identity': await generateX25519Identity() },
    );
    expect(drill.exitCode).toBe(1);
    const record = DrillRecord.parse(JSON.parse(stored.toString()));
    expect(record).toMatchObject({ restoreSeconds: null, assertions: [], objectives: { maxDurationSeconds: 1800 } });
    expect(record.facts).toBeUndefined();
    expect(record.steps).toHaveLength(1);
  });
});
