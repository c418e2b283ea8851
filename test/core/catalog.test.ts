import { describe, expect, it } from 'vitest';
import {
  activePin,
  commonScope,
  conclusiveDrill,
  isInFuture,
  listSources,
  mergeCatalogs,
  readCatalog,
  readRecentCatalog,
  scopeOf,
} from '../../src/core/catalog.ts';
import { parseDrillKey, parsePinKey, pinKey } from '../../src/core/record-keys.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, backupAt, forever, idAt, putBackup, putDrill } from '../fixtures.ts';

const small = Buffer.from('x');

it('is one of several stores, with each backup once and the copy that is complete', () => {
  const [first, second, third] = ['2026-11-01', '2026-11-02', '2026-11-03'].map((moment) => backupAt(moment));
  if (first === undefined || second === undefined || third === undefined) throw new Error('There are three.');
  const half = { ...second, manifestBytes: undefined };
  expect(mergeCatalogs([[half, third], [first, second], []])).toEqual([first, second, third]);
});

describe('a catalog', () => {
  it('tells everything that a listing tells, and opens nothing', async () => {
    const store = memoryStore();
    const manifest = putBackup(store, '2026-11-21T03:15:00Z');
    await putDrill(store, manifest, '2026-11-22T04:00:00Z');
    const reads = store.calls.get;
    store.overwrite(`orders/${manifest.id}/pin-20270101T000000Z.json`, small, at('2026-11-23'));
    store.overwrite(`orders/${manifest.id}/in-progress.json`, small, at('2026-11-20'));
    const [backup, ...others] = await readCatalog(store, 'orders');
    expect(others).toEqual([]);
    expect(store.calls.get).toBe(reads);
    expect(backup).toMatchObject({
      source: 'orders',
      id: manifest.id,
      takenAt: at('2026-11-21T03:15:00Z'),
      inProgressAt: at('2026-11-20'),
      artifacts: [{ key: 'database.dump.zst', bytes: 1_000 }],
      bytes: 1_000,
      scope: 'full',
      drills: [{ startedAt: at('2026-11-22T04:00:00Z'), verdict: 'pass', proof: 'proven' }],
      pins: [{ until: at('2027-01-01'), key: 'pin-20270101T000000Z.json' }],
      lastChangeAt: at('2026-11-23'),
    });
    expect(backup?.manifestBytes).toBeGreaterThan(100);
    expect(backup?.totalBytes).toBeGreaterThan(1_100);
  });

  it('is of one source: a name that begins alike is another', async () => {
    const store = memoryStore();
    putBackup(store, '2026-11-21', { source: 'db' });
    putBackup(store, '2026-11-21', { source: 'db-x' });
    expect(await readCatalog(store, 'db')).toHaveLength(1);
    expect(await listSources(store)).toEqual(['db', 'db-x']);
  });

  it('passes over what is no backup', async () => {
    const store = memoryStore();
    for (const key of [
      'restores/20261121T000000Z-000000.json',
      'wal/7/1/a.zst',
      'notes.txt',
      '20261399T000000Z-000000/x',
    ]) {
      store.overwrite(`orders/${key}`, small);
    }
    store.overwrite('Not A Source/x', small);
    expect(await readCatalog(store, 'orders')).toEqual([]);
    expect(await listSources(store)).toEqual(['orders']);
  });

  it('can be read since and until a moment', async () => {
    const store = memoryStore();
    for (const day of ['2026-11-19', '2026-11-20', '2026-11-21']) putBackup(store, day);
    const days = async (range: { since?: Date; until?: Date }) =>
      (await readCatalog(store, 'orders', range)).map(({ takenAt }) => takenAt.getUTCDate());
    expect(await days({ since: at('2026-11-20') })).toEqual([20, 21]);
    expect(await days({ until: at('2026-11-20') })).toEqual([19]);
    expect(await days({ since: at('2026-11-20'), until: at('2026-11-21') })).toEqual([20]);
  });

  it('goes back only until there is enough, and gives each backup once', async () => {
    const store = memoryStore();
    for (let day = 1; day <= 60; day += 1) putBackup(store, new Date(at('2026-09-22').getTime() + day * 86_400_000));
    const now = at('2026-11-21T12:00:00Z');
    const ten = await readRecentCatalog(store, 'orders', now, (backups) => backups.length >= 10);
    expect(ten.since).toEqual(at('2026-11-09T12:00:00Z'));
    expect(ten.backups.map(({ takenAt }) => takenAt.getUTCDate())).toEqual([
      10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    ]);
    const all = await readRecentCatalog(store, 'orders', now, () => false);
    expect(all.since).toBeUndefined();
    expect(new Set(all.backups.map(({ id }) => id)).size).toBe(60);
    expect(all.backups).toHaveLength(60);
  });
});

describe('names of artifacts', () => {
  it.each([
    [['database.dump.zst', 'globals.sql.zst', 'facts.json.zst'], 'full'],
    [['database.dump.zst.age'], 'full'],
    [['pre-data.dump.zst', 'data-01.dump.zst', 'post-data.dump.zst'], 'full'],
    [['tables-data-01.dump.zst', 'tables-post-data.dump.zst', 'tables-pre-data.dump.zst.age'], 'tables'],
    [['schema.dump.zst', 'facts.json.zst'], 'schema'],
    [['data.dump.zst', 'schema.dump.zst'], 'data'],
    [['tables.dump.zst'], 'tables'],
    [['base.tar.zst'], 'full'],
    [['dump.rdb.zst'], 'full'],
    [['globals.sql.zst'], undefined],
    [[], undefined],
  ])('%j say that the scope is %s', (names, scope) => {
    expect(scopeOf(names)).toBe(scope);
  });

  it('make the usual scope what most of the last twenty hold', () => {
    expect(commonScope(['full', 'tables', 'full'])).toBe('full');
    expect(commonScope(['full', 'tables'])).toBe('full');
    expect(commonScope([...Array(30).fill('full'), ...Array(11).fill('tables')])).toBe('tables');
    expect(commonScope([undefined, undefined, 'tables'])).toBe('tables');
    expect(commonScope([])).toBeUndefined();
  });
});

describe('names of records', () => {
  it('of pins tell until when; one that cannot be read holds for ever', () => {
    expect(pinKey('orders', idAt('2026-11-21'), at('2027-01-01'))).toMatch(/\/pin-20270101T000000Z\.json$/);
    expect(pinKey('orders', idAt('2026-11-21'), null)).toMatch(/\/pin-forever\.json$/);
    expect(parsePinKey('pin-20270101T000000Z.json')).toEqual({
      until: at('2027-01-01'),
      key: 'pin-20270101T000000Z.json',
    });
    expect(parsePinKey('pin-forever.json')?.until).toBeNull();
    expect(parsePinKey('pin-next-year.json')?.until).toBeNull();
    expect(parsePinKey('spin-forever.json')).toBeUndefined();
  });

  it('of drills tell verdict and proof; others are no drills', () => {
    const id = idAt('2026-11-21');
    expect(parseDrillKey(`drills/${id}.warn.proven.json`)).toMatchObject({ id, verdict: 'warn', proof: 'proven' });
    for (const name of [
      `${id}.warn.proven.json`,
      `drills/${id}.good.proven.json`,
      `drills/${id}.pass.maybe.json`,
      'drills/x.pass.proven.json',
    ]) {
      expect(parseDrillKey(name)).toBeUndefined();
    }
  });

  it('leave the latest conclusive drill in force when a later one found nothing out', () => {
    const drill = (day: string, proof: 'proven' | 'disproven' | 'inconclusive') => ({
      id: idAt(day),
      startedAt: at(day),
      verdict: 'pass' as const,
      proof,
      key: '',
    });
    const drills = [
      drill('2026-11-01', 'proven'),
      drill('2026-11-02', 'disproven'),
      drill('2026-11-03', 'inconclusive'),
    ];
    expect(conclusiveDrill({ drills })?.proof).toBe('disproven');
    expect(conclusiveDrill({ drills: drills.slice(2) })).toBeUndefined();
  });

  it('take the pin that holds longest', () => {
    const until = { until: at('2026-12-01'), key: 'a' };
    const now = at('2026-11-21');
    expect(activePin({ pins: [until, forever] }, now)).toBe(forever);
    expect(activePin({ pins: [until] }, now)).toBe(until);
    expect(activePin({ pins: [until] }, at('2026-12-01'))).toBeUndefined();
  });
});

it('allows clocks a minute before a backup is one of the future', () => {
  const now = at('2026-11-21T00:00:00Z');
  expect(isInFuture(backupAt('2026-11-21T00:01:00Z'), now)).toBe(false);
  expect(isInFuture(backupAt('2026-11-21T00:01:01Z'), now)).toBe(true);
});
