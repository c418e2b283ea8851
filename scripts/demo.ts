// `npm run demo`: the main job on a scratch PostgreSQL and a local store, by the files of dist/ as a runner
// executes them. No account, no container; everything is gone afterwards but `.demo/`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { root, runAction } from '../test/e2e/runner.ts';
import { startPostgres, type TestPostgres } from '../test/servers/postgresql.ts';

const folder = join(root, '.demo');
const store = join(folder, 'store');
const damaged = join(folder, 'damaged-store');
const summaries: string[] = [];
let surprises = 0;

rmSync(folder, { recursive: true, force: true });
mkdirSync(store, { recursive: true });
const startedAt = Date.now();
say('Starting a scratch PostgreSQL with a small shop');
const pg = await startPostgres();
try {
  await pg.psql(readFileSync(join(root, 'scripts/demo-shop.sql'), 'utf8'));
  await tour(pg);
} finally {
  await pg.stop();
}
console.log(
  `\nDone in ${Math.round((Date.now() - startedAt) / 1000)} s. The job summaries, as GitHub would show them:`,
);
for (const file of summaries) console.log(`  ${file}`);
console.log(`The store: ${store}  (README, "Restoring by hand", opens it with zstd and pg_restore alone)`);
if (surprises > 0) throw new Error(`${surprises} steps did not end as they should.`);

async function tour(server: TestPostgres): Promise<void> {
  const database = { 'database-url': server.urlOf('shop') };
  await step('backup', 'Back up the shop', database);
  await server.psql(
    `INSERT INTO customers (email, joined) SELECT 'new' || g || '@example.com', now() FROM generate_series(1, 500) g`,
    'shop',
  );
  await nextSecond(); // backups are dated in whole seconds
  await step('backup', 'The shop goes on; back it up again', database);
  await step('verify-freshness', 'Judge the backups from the store alone', {
    'max-age': '26h',
    'min-free-space': '1%',
  });
  await step('restore-drill', 'Restore the newest one into a scratch server and compare', {
    assertions:
      'orders have customers: SELECT count(*) = 0 FROM orders o LEFT JOIN customers c ON c.id = o.customer WHERE c.id IS NULL',
    'max-duration': '10m',
    'max-data-loss': '26h',
  });
  await step('prune', 'Remove what is superfluous, since one is proven now', { 'keep-last': '1' });

  say('Now damage copies of the backup');
  copyStore();
  flipOneByte();
  await step('restore-drill', 'One byte of the dump was flipped on the disk', { store: `file://${damaged}` }, 'fail');
  copyStore();
  await loseRows(server);
  seemsSound(server);
  await step(
    'restore-drill',
    'The dump lost 10 orders, and every checksum was made to fit',
    { store: `file://${damaged}` },
    'fail',
  );
}

async function step(action: string, title: string, inputs: Record<string, string>, expected = 'pass'): Promise<void> {
  say(title);
  const result = await runAction({ action, with: { source: 'shop', store: `file://${store}`, ...inputs } });
  const file = join(folder, `${summaries.length + 1}-${action}.md`);
  writeFileSync(file, result.summary);
  summaries.push(file);
  console.log(unfolded(result.summary));
  const verdict = result.outputs.verdict ?? 'none';
  const isExpected = expected === 'pass' ? result.exitCode === 0 : result.exitCode !== 0 && verdict === expected;
  if (isExpected) return;
  surprises++;
  console.log(result.log);
  console.log(
    `This step should have ended with ${expected}; it ended with ${verdict}, exit status ${result.exitCode}.`,
  );
}

async function nextSecond(): Promise<void> {
  await setTimeout(1_050 - (Date.now() % 1_000));
}

function say(text: string): void {
  const [bold, plain] = process.stdout.isTTY ? ['\u001b[1m', '\u001b[0m'] : ['', ''];
  console.log(`\n${bold}━━ ${text}${plain}\n`);
}

/** The summary as a person sees it at first: without what is folded away and without the source of charts. */
function unfolded(markdown: string): string {
  return markdown
    .replaceAll(/<details>[\s\S]*?<\/details>/g, '')
    .replaceAll(/```mermaid[\s\S]*?```/g, '')
    .replaceAll(/^### .*\n+(?=#|(?![\s\S]))/gm, '') // a heading of nothing but what was removed
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function copyStore(): void {
  rmSync(damaged, { recursive: true, force: true });
  cpSync(store, damaged, { recursive: true, preserveTimestamps: true });
}

function backupFolder(): string {
  const [id] = readdirSync(join(damaged, 'shop'))
    .filter((name) => /^\d{8}T/.test(name))
    .toSorted()
    .toReversed();
  if (id === undefined) throw new Error('The store holds no backup.');
  return join(damaged, 'shop', id);
}

function flipOneByte(): void {
  const path = join(backupFolder(), 'database.dump.zst');
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8((bytes.at(middle) ?? 0) ^ 0x01, middle);
  writeFileSync(path, bytes);
}

/** What a script that checks sums and asks pg_restore would say of the damaged backup. */
function seemsSound(server: TestPostgres): void {
  const [{ artifacts }, path] = [
    JSON.parse(readFileSync(join(backupFolder(), 'manifest.json'), 'utf8')),
    join(backupFolder(), 'database.dump.zst'),
  ];
  const { sha256 } = artifacts.find((one: { key: string }) => one.key === 'database.dump.zst');
  execFileSync('sha256sum', ['--check', '--status'], { input: `${sha256}  ${path}\n` });
  execFileSync('bash', ['-euo', 'pipefail', '-c', `zstd -dc "$OUT" | "${server.clientDir}/pg_restore" -f /dev/null`], {
    env: { ...process.env, OUT: path },
  });
  console.log('sha256sum --check says OK, pg_restore reads it to its end and exits with 0, and still:\n');
}

/** A dump taken after rows were deleted takes the place of the real one; manifest and checksums agree with it. */
async function loseRows(server: TestPostgres): Promise<void> {
  await server.psql('DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id DESC LIMIT 10)', 'shop');
  const path = join(backupFolder(), 'database.dump.zst');
  const dump = `"${server.clientDir}/pg_dump" -Fc -Z0 -d "$URL" | zstd -q -3 -c > "$OUT"`;
  execFileSync('bash', ['-euo', 'pipefail', '-c', dump], {
    env: { ...process.env, URL: server.urlOf('shop'), OUT: path },
  });
  const manifestPath = join(backupFolder(), 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const artifact = manifest.artifacts.find((one: { key: string }) => one.key === 'database.dump.zst');
  Object.assign(artifact, {
    bytes: statSync(path).size,
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
  });
  writeFileSync(manifestPath, JSON.stringify(manifest, undefined, 2));
}
