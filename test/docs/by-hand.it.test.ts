import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { backup } from '../../src/actions/backup.ts';
import { runJob, type WorkflowStep } from '../e2e/workflow.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';
import { blockAfter, blocksIn, readDocument } from './documents.ts';

const readme = readDocument('README.md');
const home = mkdtempSync(join(tmpdir(), 'lifeboat-hand-'));
let pg: TestPostgres;
let elsewhere: TestPostgres;

beforeAll(async () => {
  [pg, elsewhere] = await Promise.all([startPostgres(), startPostgres()]);
  await pg.psql('CREATE ROLE app LOGIN; CREATE DATABASE orders OWNER app');
  await pg.psql('CREATE TABLE orders AS SELECT generate_series(1, 700) AS id', 'orders', 'app');
});

afterAll(async () => {
  await Promise.all([pg?.stop(), elsewhere?.stop()]);
  rmSync(home, { recursive: true, force: true });
});

it('restores an encrypted backup by the lines of the README, with age, zstd and programs of PostgreSQL alone', async () => {
  const identity = await generateX25519Identity();
  writeFileSync(join(home, 'lifeboat.key'), `# made by a test\n${identity}\n`);
  const given = { source: 'orders', store: `file://${home}/store`, 'database-url': pg.urlOf('orders') };
  const recipients = { 'age-recipients': await identityToRecipient(identity) };
  const { outputs } = await backup({ ...given, ...recipients }, worldForTests().world);
  const folder = join(home, 'store', 'orders', outputs['backup-id'] ?? '');
  const script = blockAfter(readme, 'by-hand').replace(/^cd .*$/m, `cd '${folder}'`);
  const env = {
    ...{ PATH: `${elsewhere.clientDir}:/usr/bin:/bin`, HOME: home },
    ...{ PGHOST: elsewhere.socketDir, PGPORT: String(elsewhere.port), PGUSER: 'postgres' },
  };
  const said = execFileSync('bash', ['-euo', 'pipefail', '-c', script], { env, encoding: 'utf8', stdio: 'pipe' });
  expect(said).toMatch(/^database\.dump\.zst\.age: OK$/m);
  const owned = `SELECT count(*) || ' ' || (SELECT tableowner FROM pg_tables WHERE tablename = 'orders') FROM orders`;
  expect(await elsewhere.psql(owned, 'orders_restored')).toBe('700 app');
});

it('runs the first workflow as it is, but for the place of its store', async () => {
  const [workflow = ''] = blocksIn(readme, 'yaml');
  const { jobs } = parse(workflow) as { jobs: { backup: { steps: WorkflowStep[] } } };
  const secrets = { ORDERS_DATABASE_URL: pg.urlOf('orders') };
  mkdirSync(join(home, 'first'));
  const { conclusion, steps } = await runJob(jobs.backup.steps, {
    secrets,
    adjust: (step) => ({ ...step, with: { ...step.with, store: `file://${home}/first` } }),
  });
  expect(conclusion, steps[0]?.result?.log).toBe('success');
  expect(steps[0]?.result?.outputs).toMatchObject({ verdict: 'pass' });
});
