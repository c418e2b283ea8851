import { describe, expect, it } from 'vitest';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import type { RuleId } from '../../src/core/rules.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, type BackupFixture, fakeWorld, idAt, putBackup, putDrill } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const DAY_MS = 86_400_000;
const here = 'file:///backups';
const there = 's3://backups';

/** A source in good order: twelve nightly backups, the last one drilled. */
async function goodStore(location = here, source = 'orders'): Promise<MemoryStore> {
  const store = memoryStore({ location, now: () => at(now) });
  await addGoodSource(store, source);
  return store;
}

async function addGoodSource(store: MemoryStore, source: string): Promise<void> {
  for (let day = 10; day <= 21; day += 1) putBackup(store, `2026-11-${day}T03:00:00Z`, { source });
  await putDrill(store, { source, id: idAt('2026-11-21T03:00:00Z') }, '2026-11-21T05:00:00Z');
}

const newestId = idAt('2026-11-21T03:00:00Z');
const newestKey = (name: string) => `orders/${newestId}/${name}`;

async function verify(stores: readonly Store[], raw: Record<string, string> = {}): Promise<Report> {
  const urls = Object.fromEntries(stores.map((store) => [store.location, store]));
  return verifyFreshness({ store: Object.keys(urls).join('\n'), ...raw }, fakeWorld(urls, now));
}

/** What was found beside `pass`. */
function bad({ findings }: Report): string[] {
  return findings.filter(({ status }) => status !== 'pass').map(({ rule, status }) => `${rule} ${status}`);
}

function found({ findings }: Report, rule: RuleId, store = here) {
  return findings.find((one) => one.rule === rule && one.subject === store);
}

it('judges neither age nor size nor drills of what was backed up before restores, and says so', async () => {
  const limits = { 'max-age': '1h', 'max-drill-age': '1d', 'min-backups': '9', 'min-size': '1GB' };
  const kept = memoryStore({ location: here, now: () => at(now) });
  for (const source of ['orders', 'orders-before-restore']) {
    putBackup(kept, '2026-01-01T03:00:00Z', { source, bytes: 100_000 });
    putBackup(kept, '2026-02-01T03:00:00Z', { source });
  }
  const safety = await verify([kept], { source: 'orders-before-restore', ...limits });
  expect(bad(safety)).toEqual([]);
  expect(found(safety, 'backup-age')?.message).toContain('taken before restores, by no schedule');
  expect(found(safety, 'artifact-missing')?.status).toBe('pass');
  expect(safety.metrics.filter(({ labels }) => labels.source !== undefined)).toEqual([]);
  const usual = await verify([kept], { source: 'orders', ...limits });
  expect(bad(usual)).toEqual(
    expect.arrayContaining(['backup-age fail', 'backup-count fail', 'min-size fail', 'drill-missing fail']),
  );
});

it('passes a source in good order, and says what it looked at', async () => {
  const report = await verify([await goodStore()], {
    source: 'orders',
    'max-drill-age': '8d',
    'min-backups': '12',
    'read-data': '100%',
  });
  expect(bad(report)).toEqual([]);
  expect(report.verdict).toBe('pass');
  expect(new Set(report.findings.map(({ rule }) => rule))).toEqual(
    new Set<RuleId>([
      'manifest-unreadable',
      'backup-age',
      'backup-future',
      'backup-scope',
      'backup-count',
      'artifact-missing',
      'size-deviation',
      'backup-findings',
      'artifact-corrupt',
      'backup-hidden',
      'backup-interrupted',
      'drill-missing',
      'drill-age',
      'drill-proof',
    ]),
  );
  expect(report.outputs).toMatchObject({ 'newest-backup-id': newestId, 'age-seconds': '32400', bytes: '1000' });
  expect(JSON.parse(report.outputs.sources ?? '')).toEqual([
    {
      source: 'orders',
      store: here,
      verdict: 'pass',
      newestBackupId: newestId,
      takenAt: '2026-11-21T03:00:00Z',
      ageSeconds: 32_400,
      bytes: 1_000,
      backups: 12,
      mayBeMore: false,
      copies: 1,
      lastDrill: { backup: newestId, at: '2026-11-21T05:00:00.000Z', proof: 'proven' },
    },
  ]);
  expect(report.tables[0]?.rows).toEqual([
    ['orders', here, 'pass', newestId, '9h', '0.98 KiB', '1 of 1', '12', 'proven, 7h ago'],
  ]);
  expect(report.trends[0]?.points).toHaveLength(12);
  expect(report.trends[0]?.points.at(-1)).toEqual({ label: '2026-11-21 03:00', value: 1_000 });
});

describe('finds', () => {
  const damage: [
    what: string,
    found: string[],
    harm: (store: MemoryStore) => unknown,
    inputs?: Record<string, string>,
  ][] = [
    ['a stale backup', ['backup-age fail'], () => {}, { 'max-age': '8h' }],
    ['too few backups', ['backup-count fail'], () => {}, { 'min-backups': '13' }],
    ['a backup below the smallest size', ['min-size fail'], () => {}, { 'min-size': '2KB' }],
    ['a shrunken backup', ['size-deviation fail'], (store) => putBackup(store, '2026-11-21T04:00:00Z', { bytes: 400 })],
    ['a grown backup', ['size-deviation warn'], (store) => putBackup(store, '2026-11-21T04:00:00Z', { bytes: 1_600 })],
    [
      'a missing artifact',
      ['artifact-missing fail'],
      (store) => {
        putBackup(store, '2026-11-21T04:00:00Z', {});
        const id = idAt('2026-11-21T04:00:00Z');
        return store.remove([`orders/${id}/database.dump.zst`]);
      },
    ],
    [
      'an artifact of another size',
      ['artifact-missing fail', 'size-deviation fail'],
      (store) => store.overwrite(newestKey('database.dump.zst'), Buffer.alloc(10), at(now)),
    ],
    ['a date in the future', ['backup-future fail'], (store) => putBackup(store, '2027-01-01')],
    ['another scope', ['backup-scope warn'], (store) => putBackup(store, '2026-11-21T04:00:00Z', { scope: 'tables' })],
    [
      'what was judged wrong while it was made',
      ['backup-findings fail'],
      (store) =>
        putBackup(store, '2026-11-21T04:00:00Z', {
          findings: [{ rule: 'clock-offset', status: 'fail', message: 'eleven minutes' }],
        }),
    ],
    [
      'an unreadable manifest',
      ['manifest-unreadable fail'],
      (store) => {
        putBackup(store, '2026-11-21T04:00:00Z');
        store.overwrite(`orders/${idAt('2026-11-21T04:00:00Z')}/manifest.json`, Buffer.from('no manifest'), at(now));
      },
    ],
    [
      'a manifest behind a delete marker',
      ['backup-hidden fail'],
      (store) => store.hide(`orders/${idAt('2026-11-15T03:00:00Z')}/manifest.json`),
    ],
    [
      'a backup hidden as a whole',
      ['backup-hidden fail'],
      (store) => {
        for (const name of ['manifest.json', 'database.dump.zst'])
          store.hide(`orders/${idAt('2026-11-15T03:00:00Z')}/${name}`);
      },
    ],
    [
      'a manifest taken away from the newest',
      ['backup-hidden fail'],
      async (store) => {
        putBackup(store, '2026-11-21T04:00:00Z');
        await store.remove([`orders/${idAt('2026-11-21T04:00:00Z')}/manifest.json`]);
      },
    ],
    [
      'a manifest taken away from an older one',
      ['backup-hidden fail'],
      async (store) => {
        await store.remove([`orders/${idAt('2026-11-15T03:00:00Z')}/manifest.json`]);
      },
    ],
    [
      'an interrupted backup',
      ['backup-interrupted warn'],
      (store) => {
        putBackup(store, '2026-11-20T04:00:00Z', { withoutManifest: true });
      },
    ],
    [
      'an upload nobody goes on with',
      ['backup-interrupted warn'],
      (store) => store.leaveUpload(`orders/${newestId}/x`, at('2026-11-20T11:00:00Z')),
    ],
    ['a last drill that is too old', ['drill-age fail'], () => {}, { 'max-drill-age': '6h' }],
    [
      'a last drill that disproved',
      ['drill-proof fail'],
      (store) => putDrill(store, { source: 'orders', id: newestId }, '2026-11-21T06:00:00Z', { proof: 'disproven' }),
    ],
    [
      'a last drill that found nothing out',
      ['drill-proof warn'],
      (store) => putDrill(store, { source: 'orders', id: newestId }, '2026-11-21T06:00:00Z', { proof: 'inconclusive' }),
    ],
    ['low disk', ['free-space fail'], (store) => store.setFreeSpace({ freeBytes: 19, totalBytes: 100 })],
  ];

  it.each(damage)('%s: %j', async (_what, expected, harm, inputs = {}) => {
    const store = await goodStore();
    await harm(store);
    expect(bad(await verify([store], inputs))).toEqual(expected);
  });

  it('no drill: a warning, and a failure once drills are demanded', async () => {
    const store = memoryStore({ location: here });
    putBackup(store, '2026-11-21T03:00:00Z');
    expect(bad(await verify([store]))).toEqual(['drill-missing warn']);
    expect(bad(await verify([store], { 'max-drill-age': '8d' }))).toEqual(['drill-missing fail']);
  });

  it('flipped bytes only when they are read, and then says which', async () => {
    const store = await goodStore();
    const old = idAt('2026-11-12T03:00:00Z');
    store.overwrite(newestKey('database.dump.zst'), Buffer.alloc(1_000, 'x'), at(now));
    store.overwrite(`orders/${old}/database.dump.zst`, Buffer.alloc(1_000, 'x'), at(now));
    expect(bad(await verify([store]))).toEqual([]);
    const newest = await verify([store], { 'read-data': 'newest' });
    expect(bad(newest)).toEqual(['artifact-corrupt fail']);
    expect(found(newest, 'artifact-corrupt')?.numbers).toMatchObject({ backups: 1, damaged: 1 });
    const all = await verify([store], { 'read-data': '100%' });
    expect(found(all, 'artifact-corrupt')?.message).toContain(`${old}/database.dump.zst has SHA-256`);
    expect(found(all, 'artifact-corrupt')?.numbers).toMatchObject({ backups: 12, damaged: 2 });
  });

  it('a source without any backup, and one that was expected', async () => {
    const store = await goodStore();
    store.overwrite('empty/restores/x.json', Buffer.from('x'));
    const report = await verify([store], { expect: 'ledger' });
    expect(bad(report)).toEqual(['backup-missing fail', 'backup-missing fail']);
    expect(report.findings.filter(({ status }) => status === 'fail').map(({ message }) => message)).toEqual([
      'empty: there is no backup.',
      'ledger: there is no backup.',
    ]);
  });

  it('a store that holds nothing at all', async () => {
    expect(bad(await verify([memoryStore()]))).toEqual(['backup-missing fail']);
  });
});

describe('a store whose folder is not there', () => {
  const missing = () => {
    const store = memoryStore({ location: here });
    store.setFreeSpace({ freeBytes: 99, totalBytes: 100 }); // of the parent, as a local store measures it
    const gone = async () => {
      throw new Failure('store-missing', 'The folder does not exist.', { hint: 'Mount the disk.' });
    };
    return Object.assign(store, {
      listFolders: gone,
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: gone }) }),
    });
  };

  it.each(['', 'orders'])('is unknown, has no room, and is never "no backup" (source: "%s")', async (source) => {
    const report = await verify([missing()], { source });
    expect(bad(report).length).toBeGreaterThan(0);
    expect(new Set(bad(report))).toEqual(new Set(['store-readable unknown']));
    expect(report.findings.map(({ rule }) => rule)).not.toContain('free-space');
    expect(report.verdict).toBe('unknown');
  });

  it('leaves open whether there is a source, where the other store is empty', async () => {
    const report = await verify([memoryStore({ location: there }), missing()]);
    expect(bad(report)).toEqual(['store-readable unknown']);
  });
});

describe('several stores and sources', () => {
  it('are looked at side by side, and told in the order of their names, whoever answers first', async () => {
    const store = memoryStore({ location: here, now: () => at(now) });
    const names = ['a', 'b', 'c'];
    for (const source of names) await addGoodSource(store, source);
    // The manifest of the first is given once that of the last was asked for.
    const { get } = store;
    const last = Promise.withResolvers<void>();
    store.get = async (key, ...rest) => {
      if (key.endsWith('manifest.json') && key.startsWith('a/')) await last.promise;
      if (key.endsWith('manifest.json') && key.startsWith('c/')) last.resolve();
      return get.call(store, key, ...rest);
    };
    const { outputs } = await verify([store]);
    expect(JSON.parse(outputs.sources ?? '').map((row: { source: string }) => row.source)).toEqual(names);
  });

  it('are judged each by itself, and against each other', async () => {
    const [one, other] = [await goodStore(here), await goodStore(there)];
    putBackup(one, '2026-11-21T04:00:00Z');
    const report = await verify([one, other]);
    expect(bad(report)).toEqual(['copy-missing fail']);
    expect(found(report, 'copy-missing', there)?.message).toContain(`${idAt('2026-11-21T04:00:00Z')} is not here`);
    expect(JSON.parse(report.outputs.sources ?? '').map((row: { copies: number }) => row.copies)).toEqual([1, 2]);
  });

  it('take `*`, names, or nothing for all', async () => {
    const store = await goodStore();
    await addGoodSource(store, 'ledger');
    const titles = [];
    for (const source of ['*', '', 'ledger', 'ledger\norders']) titles.push((await verify([store], { source })).title);
    expect(titles).toEqual([
      'Freshness of 2 sources',
      'Freshness of 2 sources',
      'Freshness of ledger',
      'Freshness of 2 sources',
    ]);
    await expect(verify([store], { source: 'No/Name' })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('count a drill only for the store whose bytes it restored or read back', async () => {
    const [one, other] = [await goodStore(here), await goodStore(there)];
    for (const key of [`drills/${idAt('2026-11-21T05:00:00Z', 'drill')}.pass.proven.json`])
      await other.remove([newestKey(key)]);
    await putDrill(other, { source: 'orders', id: newestId }, '2026-11-21T05:00:00Z', { store: here });
    expect(bad(await verify([one, other], { 'max-drill-age': '8d' }))).toEqual(['drill-missing fail']);
  });

  it('say "unknown", and not "stale", of a store that cannot be listed, and judge the others', async () => {
    const broken = await goodStore(there);
    broken.failWith(new Failure('store-denied', 'Access was denied.', { hint: 'Ask for s3:ListBucket.' }));
    const report = await verify([await goodStore(), broken], { source: 'orders' });
    expect(new Set(bad(report))).toEqual(new Set(['store-readable unknown']));
    expect(report.verdict).toBe('unknown');
    expect(found(report, 'backup-age')?.status).toBe('pass');
    expect(found(report, 'store-readable', there)).toMatchObject({ hint: 'Ask for s3:ListBucket.' });
    expect(report.tables[0]?.rows.map((row) => row[2])).toEqual(['pass', 'unknown']);
  });

  it('are one when two URLs name the same place', async () => {
    const store = await goodStore();
    const urls = { [here]: store, [`${here}/`]: store };
    const report = await verifyFreshness({ store: Object.keys(urls).join('\n') }, fakeWorld(urls, now));
    expect(report.tables[0]?.rows.map((row) => row[6])).toEqual(['1 of 1']);
  });

  it('end at once when a store URL is wrong', async () => {
    const world = fakeWorld({}, now, {
      openStore: async () => {
        throw new Failure('invalid-input', 'No such kind of store.');
      },
    });
    await expect(verifyFreshness({ store: 'ftp://x' }, world)).rejects.toThrow('No such kind of store.');
  });
});

describe('ten thousand backups', () => {
  const hourly = async () => {
    const store = memoryStore({ location: here, now: () => at(now) });
    const fixture: BackupFixture = { bytes: 10 };
    for (let hour = 0; hour < 10_000; hour += 1)
      putBackup(store, new Date(at(now).getTime() - hour * 3_600_000), fixture);
    return store;
  };

  it('are judged with a short piece of the listing and a handful of reads', async () => {
    const store = await hourly();
    await putDrill(
      store,
      { source: 'orders', id: idAt(new Date(at(now).getTime() - 30 * 3_600_000)) },
      '2026-11-20T08:00:00Z',
    );
    const before = store.calls.get;
    const counted = counting(store);
    const report = await verify([counted.store], { 'max-drill-age': '8d', 'min-backups': '48', 'max-age': '1h' });
    expect(bad(report)).toEqual([]);
    expect(counted.keys()).toBeLessThan(200);
    expect(store.calls.get - before).toBeLessThanOrEqual(5);
  });

  it('show how long the last drills of one source took, where there is more than one', async () => {
    const store = await hourly();
    const hoursAgo = (hours: number) => new Date(at(now).getTime() - hours * 3_600_000);
    for (const hours of [2, 3]) await putDrill(store, { source: 'orders', id: idAt(hoursAgo(hours)) }, hoursAgo(1));
    const { trends } = await verify([store], { 'max-drill-age': '8d' });
    expect(trends.map(({ title, unit, points }) => [title, unit, points.length])).toContainEqual([
      'Restore time of the last drills',
      's',
      2,
    ]);
  });

  it('are listed further back only for a drill that is looked for, and still not opened', async () => {
    const store = await hourly();
    await putDrill(
      store,
      { source: 'orders', id: idAt(new Date(at(now).getTime() - 300 * DAY_MS)) },
      '2026-11-20T08:00:00Z',
    );
    const before = store.calls.get;
    const counted = counting(store);
    expect(bad(await verify([counted.store], { 'max-drill-age': '8d' }))).toEqual([]);
    // Every key once, and one more at the end of each window.
    expect(counted.keys()).toBeLessThan(20_010);
    expect(store.calls.get - before).toBeLessThanOrEqual(5);
  });
});

describe('lifecycle rules of a bucket', () => {
  const expiry = { name: 'old', prefix: '', isNarrowed: false, expires: { afterDays: 7 }, archives: undefined };

  it('fail where they take what there is, and pass where they may not be read', async () => {
    const store = await goodStore(there);
    store.setLifecycle([{ ...expiry, abortsUploadsAfterDays: 7 }]);
    expect(found(await verify([store]), 'lifecycle', there)).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('orders has 20261110T030000Z'),
    });
    store.setLifecycle(new Failure('store-denied', 'AccessDenied'));
    expect(bad(await verify([store]))).toEqual([]);
    expect(found(await verify([store]), 'lifecycle', there)?.message).toContain('could not be read: AccessDenied');
  });

  it('fail where they take what the keep rules of the page keep', async () => {
    const store = await goodStore(there);
    store.setLifecycle([{ ...expiry, expires: { afterDays: 30 }, abortsUploadsAfterDays: 7 }]);
    expect(found(await verify([store]), 'lifecycle', there)?.status).toBe('warn');
    const writePage = async (path: string) => path;
    const world = fakeWorld({ [there]: store }, now, { writePage });
    const report = await verifyFreshness({ store: there, 'status-page': 'page', 'keep-monthly': '6' }, world);
    expect(found(report, 'lifecycle', there)).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('keep-monthly 6 keeps backups for 186 days'),
    });
  });
});

/** Counts the keys a listing yields: pages of a thousand on S3. */
function counting(store: MemoryStore): { store: Store; keys: () => number } {
  let keys = 0;
  const list: Store['list'] = async function* (...args) {
    for await (const object of store.list(...args)) {
      keys += 1;
      yield object;
    }
  };
  const counted = new Proxy<Store>(store, {
    get: (target, name: keyof Store) => {
      if (name === 'list') return list;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { store: counted, keys: () => keys };
}
