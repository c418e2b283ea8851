import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lifeboat } from '../hostile/lifeboat.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { discardingS3 } from './discarding-s3.ts';
import { databaseOf, dumpOf, GIB } from './endless-dump.ts';

let pg: TestPostgres;
let folder: string;

beforeAll(async () => {
  // Its vacuum would read what is not there.
  pg = await startPostgres({ settings: { autovacuum: 'off' } });
  folder = mkdtempSync('/var/tmp/lbsc-');
});
afterAll(async () => {
  await pg?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

it('streams a dump in equal parts chosen from the size of the database, in little memory', async () => {
  const s3 = await discardingS3();
  try {
    const url = await databaseOf(20 * GIB, pg, 'huge');
    const binDir = dumpOf(256 << 20, folder, pg.clientDir);
    const store = `s3://scale/x?region=us-east-1&path-style=true&max-parts=1000&endpoint=${encodeURIComponent(s3.endpoint)}`;
    const args = ['backup', '--source', 'huge', '--store', store, '--bin-dir', binDir, '--facts', 'none'];
    const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
    const made = await lifeboat(args, { env: { LIFEBOAT_DATABASE_URL: url, ...keys } });
    expect(made.code, made.stderr + made.stdout).toBe(0);
    const { parts, bytes } = s3.largest();
    expect(bytes).toBeGreaterThan(100 << 20);
    expect(new Set(parts.slice(0, -1)).size).toBe(1);
    // Room in a thousand parts for all that the estimate allows.
    expect((parts[0] ?? 0) * 1000).toBeGreaterThan(20 * GIB);
    expect(parts[0]).toBeLessThan(64 << 20);
    expect(made.peakMegabytes).toBeLessThan(200);
  } finally {
    await s3.close();
  }
}, 120_000);
