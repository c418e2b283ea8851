import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { prune } from '../../src/actions/prune.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { copy } from '../../src/commands/copy.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { worldForTests } from '../worlds.ts';

const PROGRAM = fileURLToPath(new URL('copy-until-killed.ts', import.meta.url));
const bucket = `copies-${randomBytes(4).toString('hex')}`;
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-copy-'));
const here = `file://${folder}/store`;
const { world } = worldForTests();
let there = '';
let pg: TestPostgres;
let rgw: Rgw;
let stop = async () => {};
let id = '';

describe.skipIf(whyNoRgw() !== undefined)('copy between a folder and a bucket', () => {
  beforeAll(async () => {
    [pg, { rgw, stop }] = await Promise.all([startPostgres(), rgwForTests()]);
    process.env.AWS_ACCESS_KEY_ID = rgw.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = rgw.secretAccessKey;
    const client = new S3Client({ endpoint: rgw.endpoint, region: rgw.region, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    there = `s3://${bucket}/prod?endpoint=${encodeURIComponent(rgw.endpoint)}&region=${rgw.region}&path-style=true`;
    await pg.psql('CREATE DATABASE shop');
    await pg.psql(
      'CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 200000) g',
      'shop',
    );
    mkdirSync(join(folder, 'store'));
    const made = await backup({ source: 'shop', store: here, 'database-url': pg.urlOf('shop') }, world);
    id = made.outputs['backup-id'] ?? '';
  });

  afterAll(async () => {
    await Promise.all([pg?.stop(), stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes on after a kill, and what was sent is not sent again', async () => {
    const args = [PROGRAM, 'shop', id, here, there, 'facts.json.zst'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    // Half a copy is no backup, and nobody's leftover yet.
    const cleaned = await prune({ source: 'shop', store: there, 'keep-last': '1' }, world);
    expect(cleaned.outputs['kept-count']).toBe('0');
    const report = await copy({ source: 'shop', backup: id, from: here, to: there }, world);
    expect(report.verdict).toBe('pass');
    expect(report.tables[0]?.rows.map(([name, , how]) => [name, how])).toEqual([
      ['database.dump.zst', 'there already, read back'],
      ['globals.sql.zst', 'there already, read back'],
      ['facts.json.zst', 'sent'],
    ]);
    expect(report.verdict).toBe('pass');
  });

  it('makes a copy that a drill proves, which until then it is not', async () => {
    const drilled = await restoreDrill({ source: 'shop', store: there, backup: id }, world);
    expect(drilled.outputs.proof).toBe('proven');
  });

  it('brings one back from the bucket into a folder that does not exist yet', async () => {
    const back = `file://${folder}/new`;
    const report = await copy({ source: 'shop', 'all-missing': 'true', from: there, to: back }, world);
    expect(report.verdict).toBe('pass');
    const same = promisify(execFile)('diff', ['-r', '-x', 'drills', join(folder, 'store'), join(folder, 'new')]);
    await expect(same).resolves.toMatchObject({ stdout: '' });
    const again = await copy({ source: 'shop', 'all-missing': 'true', from: there, to: back }, world);
    expect(again.findings.map(({ message }) => message)).toEqual([expect.stringContaining('every backup of')]);
  });
});
