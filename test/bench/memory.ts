import { measure } from './contender.ts';
import { makeDatabase } from './database.ts';
import type { Bench } from './main.ts';

/** The highest that the node process may take whatever the size, in MB. */
const LIMIT_MB = 200;

/** Memory of the node process by size of the database; `npm run scale` streams the large ones. */
export async function benchMemory(bench: Bench): Promise<void> {
  const { pg, keys, s3Parameters, gigabytes } = bench;
  const sizes = [gigabytes / 15, gigabytes / 4, gigabytes];
  const rows: string[] = [];
  for (const [at, size] of sizes.entries()) {
    await makeDatabase(pg, `memory_${at}`, size);
    const where = ['--source', `memory-${at}`, '--store', `s3://bench/memory?${s3Parameters}`];
    const measured = await measure(
      [
        { name: 'backup', lifeboat: ['backup', ...where], env: { LIFEBOAT_DATABASE_URL: pg.urlOf(`memory_${at}`) } },
        { name: 'drill', lifeboat: ['restore-drill', ...where] },
      ],
      1,
      keys,
    );
    await pg.psql(`DROP DATABASE memory_${at}`);
    const peaks = ['backup', 'drill'].map((name) => measured.get(name)?.peakMb ?? 0);
    rows.push(`| ${size.toFixed(1)} GB | ${peaks.join(' | ')} | ≤ ${LIMIT_MB} |`);
  }
  console.log('\n| Database | Peak of node, backup (MB) | Peak of node, drill (MB) | To reach |\n|---|---:|---:|---:|');
  for (const row of rows) console.log(row);
}
