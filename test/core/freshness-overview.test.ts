import { expect, it } from 'vitest';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import { renderSummary } from '../../src/github/summary.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, idAt, putBackup, putDrill } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const [here, there] = ['file:///srv/backups', 's3://acme-backups/prod'];

async function threeSources(location: string) {
  const store = memoryStore({ location, now: () => at(now) });
  for (let day = 10; day <= 21; day += 1) {
    putBackup(store, `2026-11-${day}T03:00:00Z`, { source: 'orders', bytes: 1_000 + day * 20 });
    putBackup(store, `2026-11-${day}T03:00:00Z`, { source: 'wallets' });
    if (day < 19) putBackup(store, `2026-11-${day}T03:00:00Z`, { source: 'customers', bytes: 2_000 - day * 15 });
  }
  for (const [source, day] of [
    ['orders', '21'],
    ['customers', '16'],
  ] as const) {
    await putDrill(store, { source, id: idAt(`2026-11-${day}T03:00:00Z`) }, `2026-11-${day}T05:00:00Z`);
  }
  return store;
}

async function judge(stores: readonly Store[]) {
  const urls = Object.fromEntries(stores.map((store) => [store.location, store]));
  return verifyFreshness({ store: Object.keys(urls).join('\n'), source: '*' }, fakeWorld(urls, now));
}

it('gives each of several sources a row, the worst first, with its age, limit, trend, last drill and what to do', async () => {
  const report = await judge([await threeSources(here)]);
  const [overview, stores] = report.tables;
  expect(overview?.rows.map((row) => row.slice(0, 7))).toEqual([
    ['customers', 'fail', '3d 9h', '1d 2h', '1.69 KiB', '▇▆▆▅▅▄▃▃▂', 'proven, 5d 7h ago'],
    ['wallets', 'warn', '9h', '1d 2h', '0.98 KiB', '▄▄▄▄▄▄▄▄▄▄▄▄', 'none'],
    ['orders', 'pass', '9h', '1d 2h', '1.39 KiB', '▁▂▂▃▄▄▅▅▆▇▇█', 'proven, 7h ago'],
  ]);
  expect(overview?.rows.map((row) => row[7])).toEqual([
    'Look at the last runs of the backup job: it failed, or it did not run.',
    'Run a restore drill: `lifeboat restore-drill --source wallets --store file:///srv/backups`.',
    '–',
  ]);
  expect(stores).toMatchObject({ folded: true, rows: { length: 3 } });
  await expect(renderSummary(report)).toMatchFileSnapshot('../github/summary/overview.md');
});

it('tells of each source the worst of its stores', async () => {
  const [one, two] = [await threeSources(here), await threeSources(there)];
  await two.remove([`orders/${idAt('2026-11-21T03:00:00Z')}/manifest.json`]);
  const rows = (await judge([one, two])).tables[0]?.rows ?? [];
  expect(rows.find(([source]) => source === 'orders')?.slice(0, 3)).toEqual(['orders', 'fail', '1d 9h']);
});

it('says nothing of an age or drill that one store does not tell', async () => {
  const broken = memoryStore({ location: there });
  broken.failWith(new Failure('store-unavailable', 'No answer.', { hint: 'Try again later; look at the network.' }));
  const rows = (await judge([await threeSources(here), broken])).tables[0]?.rows ?? [];
  expect(rows.find(([source]) => source === 'orders')).toEqual([
    'orders',
    'unknown',
    '–',
    '1d 2h',
    '1.39 KiB',
    '▁▂▂▃▄▄▅▅▆▇▇█',
    'none',
    'Try again later.',
  ]);
});

it('gives one source the table of its stores, and no overview', async () => {
  const store = await threeSources(here);
  const report = await verifyFreshness({ store: here, source: 'orders' }, fakeWorld({ [here]: store }, now));
  expect(report.tables.map(({ title }) => title)).toEqual(['Sources and stores']);
});
