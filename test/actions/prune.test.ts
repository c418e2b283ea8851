import { describe, expect, it } from 'vitest';
import { prune } from '../../src/actions/prune.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, idAt, keysOf, putBackup, putDrill } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const here = 'file:///backups';
const there = 's3://backups';
const HOUR_MS = 3_600_000;

/** Nightly backups of the last days, the newest drilled. */
async function nightly(days: number, location = here, source = 'orders'): Promise<MemoryStore> {
  const store = memoryStore({ location, now: () => at(now) });
  for (let back = 0; back < days; back += 1) putBackup(store, night(back), { source });
  await putDrill(store, { source, id: idAt(night(0)) }, '2026-11-21T05:00:00Z');
  return store;
}

function night(back: number): Date {
  return new Date(at('2026-11-21T03:00:00Z').getTime() - back * 24 * HOUR_MS);
}

const key = (back: number, name: string) => `orders/${idAt(night(back))}/${name}`;

async function pruned(stores: readonly Store[], raw: Record<string, string> = {}): Promise<Report> {
  const urls = Object.fromEntries(stores.map((store) => [store.location, store]));
  return prune(
    { source: 'orders', store: Object.keys(urls).join('\n'), 'keep-last': '2', ...raw },
    fakeWorld(urls, now),
  );
}

/** How many nights ago what is left was taken. */
async function nightsIn(store: Store): Promise<number[]> {
  const manifests = (await keysOf(store, 'orders/')).filter((one) => one.endsWith('manifest.json'));
  return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].filter((back) =>
    manifests.includes(key(back, 'manifest.json')),
  );
}

const bad = ({ findings }: Report) =>
  findings.filter(({ status }) => status !== 'pass').map(({ rule, status }) => `${rule} ${status}`);
const messageOf = ({ findings }: Report, rule: string) => findings.find((one) => one.rule === rule)?.message;

describe('prune', () => {
  it('removes what no rule keeps, whole, and says what it did', async () => {
    const store = await nightly(4);
    const report = await pruned([store]);
    expect(bad(report)).toEqual([]);
    expect(await nightsIn(store)).toEqual([0, 1]);
    expect(await keysOf(store, `orders/${idAt(night(2))}`)).toEqual([]);
    expect(report.outputs).toMatchObject({
      kept: JSON.stringify([idAt(night(1)), idAt(night(0))]),
      removed: JSON.stringify([idAt(night(3)), idAt(night(2))]),
      'kept-count': '2',
      'removed-count': '2',
    });
    expect(Number(report.outputs['freed-bytes'])).toBeGreaterThan(2_000);
    expect(report.tables[0]?.rows.map((row) => row.slice(3))).toEqual([
      ['proven', 'kept', 'newest; newest proven; last 1 of 2'],
      ['–', 'kept', 'last 2 of 2'],
      ['–', 'removed', 'last is full (2)'],
      ['–', 'removed', 'last is full (2)'],
    ]);
  });

  it('touches no other source, also when its name begins alike', async () => {
    const store = await nightly(4);
    for (const source of ['orders-x', 'order']) putBackup(store, night(9), { source, withoutManifest: true });
    store.leaveUpload('orders-x/upload', night(9));
    const others = (await keysOf(store)).filter((one) => !one.startsWith('orders/'));
    await pruned([store]);
    expect((await keysOf(store)).filter((one) => !one.startsWith('orders/'))).toEqual(others);
    expect(await Array.fromAsync(store.openUploads('orders-x/'))).toHaveLength(1);
  });

  it('only shows its plan in a dry run', async () => {
    const store = await nightly(4);
    putBackup(store, night(8), { withoutManifest: true });
    const before = await keysOf(store);
    const report = await pruned([store], { 'dry-run': 'true' });
    expect(await keysOf(store)).toEqual(before);
    expect(report.tables[0]?.rows.map((row) => row[4])).toEqual(['keep', 'keep', 'remove', 'remove']);
    expect(report.headline.slice(0, 2)).toEqual([
      { name: 'Dry run', value: 'nothing was removed' },
      { name: 'Would remove', value: '2' },
    ]);
    expect(report.outputs).toMatchObject({ removed: '[]', 'kept-count': '4', 'freed-bytes': '0' });
    expect(messageOf(report, 'prune-leftovers')).toContain(
      '1 unfinished backup and 0 unfinished uploads would be removed',
    );
  });

  it('shows its plan in the log before it removes anything', async () => {
    const store = await nightly(3);
    const said: string[] = [];
    const log = {
      info: (line: string) => void said.push(line),
      warning() {},
      debug() {},
      group: <T>(_: string, use: () => Promise<T>) => use(),
    };
    await prune({ source: 'orders', store: here, 'keep-last': '2' }, fakeWorld({ [here]: store }, now, { log }));
    expect(said).toEqual([
      `keep ${idAt(night(0))}: newest; newest proven; last 1 of 2`,
      `keep ${idAt(night(1))}: last 2 of 2`,
      `remove ${idAt(night(2))}: last is full (2)`,
      `Removed orders/${idAt(night(2))} from ${here}.`,
    ]);
  });

  it('done twice removes nothing more', async () => {
    const store = await nightly(6);
    await pruned([store], { 'keep-last': '1', 'keep-weekly': '2' });
    const before = await keysOf(store);
    expect((await pruned([store], { 'keep-last': '1', 'keep-weekly': '2' })).outputs['removed-count']).toBe('0');
    expect(await keysOf(store)).toEqual(before);
  });

  it('refuses a policy without a keep rule, and a time zone nobody knows', async () => {
    const store = await nightly(2);
    await expect(pruned([store], { 'keep-last': '0' })).rejects.toMatchObject({ code: 'invalid-input' });
    await expect(pruned([store], { 'keep-last': '' })).rejects.toThrow('No keep rule was given');
    await expect(pruned([store], { 'time-zone': 'Mars/Olympus' })).rejects.toThrow('IANA');
  });

  it('refuses to keep none of the last', async () => {
    await expect(pruned([memoryStore()], { 'keep-last': '0' })).rejects.toThrow('`keep-last: 0` keeps nothing');
  });

  it('fails for a source without backups in any store, naming those there are', async () => {
    expect(bad(await pruned([memoryStore()]))).toEqual(['prune-planned warn', 'backup-missing fail']);
    const report = await pruned([await nightly(1, here, 'ledger')]);
    expect(report.findings.find(({ rule }) => rule === 'backup-missing')).toMatchObject({
      status: 'fail',
      hint: expect.stringContaining('backups of ledger'),
    });
  });

  it('only warns of a store that is still empty beside one that holds backups', async () => {
    expect(bad(await pruned([await nightly(2), memoryStore({ location: there })]))).toEqual(['prune-planned warn']);
  });
});

describe('without proof', () => {
  it('nothing goes, and if something would have gone, that fails and names the drill', async () => {
    const store = memoryStore({ location: here });
    for (let back = 0; back < 4; back += 1) putBackup(store, night(back));
    const report = await pruned([store]);
    expect(bad(report)).toEqual(['prune-unproven fail']);
    expect(report.findings.find(({ rule }) => rule === 'prune-unproven')?.hint).toContain(
      'lifeboat restore-drill --source orders',
    );
    expect(await nightsIn(store)).toEqual([0, 1, 2, 3]);
    expect(bad(await pruned([store], { 'keep-last': '4' }))).toEqual([]);
    await pruned([store], { 'require-proven': 'false' });
    expect(await nightsIn(store)).toEqual([0, 1]);
  });

  it('a dry run says what a real one would do: nothing', async () => {
    const store = memoryStore({ location: here });
    for (let back = 0; back < 4; back += 1) putBackup(store, night(back));
    const report = await pruned([store], { 'dry-run': 'true' });
    expect(bad(report)).toEqual(['prune-unproven fail']);
    expect(messageOf(report, 'prune-unproven')).toContain('nothing would be removed');
    expect(report.headline).toEqual([
      { name: 'Dry run', value: 'nothing was removed' },
      { name: 'Would remove', value: '0' },
      { name: 'Would free', value: '0 B' },
      { name: 'Would keep', value: '4' },
    ]);
    expect(report.tables[0]?.rows.map((row) => row[4])).toEqual(['keep', 'keep', 'keep', 'keep']);
    expect(report.tables[0]?.rows[3]?.[5]).toContain('the plan would be refused');
  });

  it('of its own a copy in another store does not count', async () => {
    const [one, other] = [await nightly(4), await nightly(4, there)];
    const drill = `drills/${idAt('2026-11-21T05:00:00Z', 'drill')}.pass.proven.json`;
    await other.remove([key(0, drill)]);
    await putDrill(other, { source: 'orders', id: idAt(night(0)) }, '2026-11-21T05:00:00Z', { store: here });
    const report = await pruned([one, other]);
    expect(bad(report)).toEqual(['prune-unproven fail']);
    expect([await nightsIn(one), await nightsIn(other)]).toEqual([
      [0, 1],
      [0, 1, 2, 3],
    ]);
    expect(report.outputs).toMatchObject({ 'removed-count': '0', 'kept-count': '4' });
    await putDrill(other, { source: 'orders', id: idAt(night(1)) }, '2026-11-21T06:00:00Z', {
      store: here,
      alsoRead: [there],
    });
    expect((await pruned([one, other])).outputs['removed-count']).toBe('2');
    expect(await nightsIn(other)).toEqual([0, 1]);
  });

  it('of sound bytes a disproof in another store costs no copy here', async () => {
    const store = await nightly(4);
    await putDrill(store, { source: 'orders', id: idAt(night(1)) }, '2026-11-21T06:00:00Z', {
      store: there,
      proof: 'disproven',
    });
    await pruned([store]);
    expect(await nightsIn(store)).toEqual([0, 1]);
    await putDrill(store, { source: 'orders', id: idAt(night(1)) }, '2026-11-21T07:00:00Z', { proof: 'disproven' });
    putBackup(store, night(2));
    await pruned([store]);
    expect(await nightsIn(store)).toEqual([0, 2]);
  });
});

describe('what must not go', () => {
  it('an unreadable backup stays, fills no slot, and fails the run', async () => {
    const store = await nightly(4);
    for (const back of [1, 3]) store.overwrite(key(back, 'manifest.json'), Buffer.from('{'), night(back));
    const report = await pruned([store]);
    expect(bad(report)).toEqual(['manifest-unreadable fail', 'manifest-unreadable fail']);
    expect(await nightsIn(store)).toEqual([0, 1, 2, 3]);
  });

  it('the newest of sound size stays beside a newest that came out too small', async () => {
    const store = await nightly(4);
    await putDrill(store, { source: 'orders', id: idAt(night(3)) }, '2026-11-21T05:00:00Z');
    await store.remove([key(0, `drills/${idAt('2026-11-21T05:00:00Z', 'drill')}.pass.proven.json`)]);
    putBackup(store, night(0), { findings: [{ rule: 'size-deviation', status: 'fail', message: 'too small' }] });
    await pruned([store], { 'keep-last': '1' });
    expect(await nightsIn(store)).toEqual([0, 1, 3]);
  });

  it('nothing goes when the plan is larger than `max-delete` and than ten', async () => {
    const store = await nightly(13);
    expect(bad(await pruned([store]))).toEqual(['prune-limit fail']);
    expect(await nightsIn(store)).toHaveLength(13);
    expect(bad(await pruned([await nightly(11)]))).toEqual([]);
    expect(bad(await pruned([store], { 'max-delete': '90%' }))).toEqual([]);
    expect(await nightsIn(store)).toEqual([0, 1]);
  });

  it('a locked backup stays whole, and it is said until when', async () => {
    const store = await nightly(4);
    store.lock(key(2, 'database.dump.zst'), at('2026-12-01'));
    store.lock(key(3, 'database.dump.zst'), null);
    const report = await pruned([store]);
    expect(report.verdict).toBe('pass');
    expect(messageOf(report, 'prune-locked')).toContain('2 backups stay here only because of a lock');
    expect(report.tables[0]?.rows.slice(2).map((row) => row.slice(4))).toEqual([
      ['keep', 'locked until 2026-12-01T00:00:00Z'],
      ['keep', 'legal hold'],
    ]);
    expect(await nightsIn(store)).toEqual([0, 1, 2, 3]);
  });

  it('a store that cannot be listed is left alone, and nothing counts as gone from everywhere', async () => {
    const [one, broken] = [await nightly(4), await nightly(4, there)];
    broken.failWith(new Failure('store-unavailable', 'The network is down.'));
    const report = await pruned([one, broken]);
    expect(bad(report)).toEqual(['store-readable unknown']);
    expect(report.outputs.removed).toBe('[]');
    expect(await nightsIn(one)).toEqual([0, 1]);
    broken.failWith(undefined);
    expect(await nightsIn(broken)).toEqual([0, 1, 2, 3]);
  });

  it.each([
    ['a pin', 'pin-forever.json'],
    ['a mark of somebody at work', 'in-progress.json'],
    ['a drill record', `drills/${idAt(now)}.pass.proven.json`],
  ])('%s that comes after the plan saves the backup', async (_what, name) => {
    const store = await nightly(4);
    const lists = store.list.bind(store);
    let calls = 0;
    store.list = (...args) => {
      calls += 1;
      if (calls === 2) store.overwrite(key(3, name), Buffer.from('x'));
      return lists(...args);
    };
    const report = await pruned([store]);
    expect(bad(report)).toEqual(['prune-removed warn']);
    expect(messageOf(report, 'prune-removed')).toContain('it changed since the plan was made');
    expect(await nightsIn(store)).toEqual([0, 1, 3]);
    expect(await keysOf(store, key(3, 'database'))).toHaveLength(1);
  });
});

describe('right before a deletion', () => {
  /** Does something between the plan and the first look before a deletion. */
  function afterPlan(store: MemoryStore, harm: () => void): void {
    const list = store.list.bind(store);
    let calls = 0;
    store.list = (...args) => {
      calls += 1;
      if (calls === 2) harm();
      return list(...args);
    };
  }

  it('an upload that began after the plan saves the backup', async () => {
    const store = await nightly(4);
    afterPlan(store, () => store.leaveUpload(key(3, 'copy.dump.zst'), at(now)));
    expect(messageOf(await pruned([store]), 'prune-removed')).toContain('something is being uploaded to it');
    expect(await nightsIn(store)).toEqual([0, 1, 3]);
  });

  it('a lock that was set after the plan saves the whole backup', async () => {
    const store = await nightly(4);
    afterPlan(store, () => store.lock(key(3, 'database.dump.zst'), at('2027-01-01')));
    expect(messageOf(await pruned([store]), 'prune-removed')).toContain('it is locked until 2027-01-01');
    expect(await nightsIn(store)).toEqual([0, 1, 3]);
  });
});

describe('a deletion', () => {
  it('takes the manifest first, so that half of it is no backup, and its own mark last', async () => {
    const store = await nightly(3);
    const calls: string[][] = [];
    const remove = store.remove.bind(store);
    store.remove = (keys) => {
      calls.push([...keys]);
      return remove(keys);
    };
    await pruned([store]);
    expect(calls).toEqual([[key(2, 'manifest.json')], [key(2, 'database.dump.zst')], [key(2, 'removing.json')]]);
  });

  it('takes as many backups at once as one call can remove, all their manifests first', async () => {
    const store = memoryStore({ location: here, now: () => at(now) });
    for (let back = 0; back < 6; back += 1) putBackup(store, night(back));
    for (let part = 0; part < 985; part += 1)
      store.overwrite(key(4, `data-${String(part).padStart(3, '0')}.dump.zst`), Buffer.from('x'), night(4));
    await putDrill(store, { source: 'orders', id: idAt(night(0)) }, '2026-11-21T05:00:00Z');
    const calls: string[][] = [];
    const remove = store.remove.bind(store);
    store.remove = (keys) => {
      calls.push([...keys]);
      return remove(keys);
    };
    const { list } = store.calls;
    await pruned([store], { 'keep-last': '1' });
    expect(calls.map((keys) => keys.length)).toEqual([3, 988, 3, 2, 2, 2]);
    expect(calls[0]).toEqual([5, 4, 3].map((back) => key(back, 'manifest.json')));
    expect(calls[3]).toEqual([2, 1].map((back) => key(back, 'manifest.json')));
    // Each batch looks once more, and the plan had looked.
    expect(store.calls.list - list).toBe(1 + 2);
    expect(await nightsIn(store)).toEqual([0]);
  });

  it('looks at what lies between those that go, and touches none of it', async () => {
    const store = memoryStore({ location: here, now: () => at(now) });
    for (let back = 0; back < 9; back += 1) putBackup(store, night(back));
    for (const back of [3, 5, 7]) store.overwrite(key(back, 'pin-forever.json'), Buffer.from('x'), night(back));
    await putDrill(store, { source: 'orders', id: idAt(night(0)) }, '2026-11-21T05:00:00Z');
    expect(bad(await pruned([store], { 'keep-last': '1' }))).toEqual([]);
    expect(await nightsIn(store)).toEqual([0, 3, 5, 7]);
    for (const back of [3, 5, 7]) expect(await keysOf(store, key(back, ''))).toHaveLength(3);
  });

  it('that fails ends the work on that store, and the rest is reported as still there', async () => {
    const [store, other] = [await nightly(9), await nightly(9, there)];
    store.remove = async (keys) => keys.map((one) => ({ key: one, reason: 'denied' }));
    const report = await pruned([store, other]);
    expect(bad(report)).toEqual(['prune-removed fail']);
    expect(messageOf(report, 'prune-removed')).toContain('removed 0 of 7 backups');
    expect(messageOf(report, 'prune-removed')).toContain('7 backups are still there');
    expect(await nightsIn(store)).toHaveLength(9);
    expect(await nightsIn(other)).toEqual([0, 1]);
    expect(report.outputs).toMatchObject({ 'removed-count': '0', 'kept-count': '9' });
    expect(report.tables[0]?.rows.at(-1)?.[4]).toBe('still there');
  });

  const expired = new Failure('store-denied', 'The session has expired.', { hint: 'Let the session live longer.' });

  /** What the store removes before it fails, by how many calls came before. */
  function failing(store: MemoryStore, doneOf: (keys: readonly string[]) => readonly string[], from: number): void {
    const remove = store.remove.bind(store);
    let calls = 0;
    store.remove = async (keys) => {
      calls += 1;
      if (calls < from) return remove(keys);
      await remove(doneOf(keys));
      throw expired;
    };
  }

  it('that fails says what the failure says to do, before anything of its own', async () => {
    const store = await nightly(4);
    failing(store, () => [], 1);
    const report = await pruned([store]);
    expect(report.findings.find(({ rule }) => rule === 'prune-removed')).toMatchObject({
      message: expect.stringMatching(/removed 0 of 2 .* 2 backups are still there\. The session has expired\.$/),
      hint: 'Let the session live longer. The next prune goes on from here.',
    });
  });

  it('that fails after a manifest says that its backup is none any more', async () => {
    const store = await nightly(5);
    failing(store, (keys) => keys.slice(0, 1), 1);
    const report = await pruned([store]);
    expect(messageOf(report, 'prune-removed')).toContain(
      'removed 0 of 3 backups, 0 B. A deletion failed and ended it; 2 backups are still there; ' +
        '1 backup is half removed: no backup any more, and the rest goes with the next prune. The session has expired.',
    );
    expect(report.outputs).toMatchObject({ 'removed-count': '0', 'kept-count': '4' });
    expect(JSON.parse(report.outputs.kept ?? '')).not.toContain(idAt(night(4)));
    expect(report.tables[0]?.rows.slice(2).map((row) => row[4])).toEqual([
      'still there',
      'still there',
      'half removed',
    ]);
    expect(await nightsIn(store)).toEqual([0, 1, 2, 3]);
  });

  it('that fails among the rest says which backups are gone, and the next prune finishes it', async () => {
    const store = await nightly(5);
    const remove = store.remove.bind(store);
    failing(store, (keys) => keys.slice(0, 2), 2);
    const report = await pruned([store]);
    expect(messageOf(report, 'prune-removed')).toMatch(/removed 2 of 3 .*; 1 backup is half removed: /);
    expect(report.outputs.removed).toBe(JSON.stringify([idAt(night(4)), idAt(night(3))]));
    store.remove = remove;
    const next = await pruned([store]);
    expect(bad(next)).toEqual([]);
    expect(messageOf(next, 'prune-leftovers')).toContain('removed 3 unfinished backups');
    expect(await keysOf(store, key(2, ''))).toEqual([]);
  });

  it('that fails in a store that answers no more says of what nobody knows', async () => {
    const store = await nightly(4);
    store.remove = async () => {
      store.failWith(expired);
      throw expired;
    };
    const report = await pruned([store]);
    expect(messageOf(report, 'prune-removed')).toContain(
      'ended it; of 2 backups it is not known whether they are gone.',
    );
    expect(report.tables[0]?.rows.at(-1)?.[5]).toBe('its deletion failed, and whether it is gone is not known');
  });

  it('that a store only partly takes is found out, too', async () => {
    const store = await nightly(4);
    store.lock(key(3, 'database.dump.zst'), at('2027-01-01'));
    store.locks = async () => [];
    expect(messageOf(await pruned([store]), 'prune-removed')).toMatch(
      /removed 1 of 2 .*; 1 backup is half removed: .*database\.dump\.zst: locked$/,
    );
  });

  it('whose first answer is an error is reported, and not thrown', async () => {
    const store = await nightly(4);
    store.remove = async () => {
      throw new Failure('store-denied', 'May not delete.');
    };
    expect(bad(await pruned([store]))).toEqual(['prune-removed fail']);
  });
});

describe('leftovers', () => {
  it('of interrupted backups and prunes go once they were quiet for a day', async () => {
    const store = await nightly(2);
    putBackup(store, night(2), { withoutManifest: true, modifiedAt: new Date(at(now).getTime() - 24 * HOUR_MS) });
    putBackup(store, night(3), { withoutManifest: true, modifiedAt: new Date(at(now).getTime() - 24 * HOUR_MS + 1) });
    store.leaveUpload(key(4, 'database.dump.zst'), new Date(at(now).getTime() - 24 * HOUR_MS));
    store.leaveUpload(key(5, 'database.dump.zst'), new Date(at(now).getTime() - 24 * HOUR_MS + 1));
    const report = await pruned([store]);
    expect(messageOf(report, 'prune-leftovers')).toContain('removed 1 unfinished backup and 1 unfinished upload');
    expect(await keysOf(store, `orders/${idAt(night(2))}`)).toEqual([]);
    expect(await keysOf(store, `orders/${idAt(night(3))}`)).toHaveLength(2);
    expect((await Array.fromAsync(store.openUploads(''))).map((upload) => upload.key)).toEqual([
      key(5, 'database.dump.zst'),
    ]);
    expect(report.outputs['freed-bytes']).toBe('1002');
  });

  it('with an open upload, a pin, or a manifest that somebody else hid stay', async () => {
    const store = await nightly(2);
    for (const back of [2, 3, 4, 5]) putBackup(store, night(back), { withoutManifest: back < 4 });
    store.leaveUpload(key(2, 'database.dump.zst'), at('2026-11-21T11:00:00Z'));
    store.overwrite(key(3, 'pin-forever.json'), Buffer.from('x'), night(3));
    store.hide(key(4, 'manifest.json'));
    const report = await pruned([store], { 'keep-last': '9' });
    expect(bad(report)).toEqual(['backup-hidden fail']);
    for (const back of [2, 3, 4]) expect(await keysOf(store, key(back, 'database'))).toHaveLength(1);
  });

  it('newer than the newest backup and without a mark are the work of somebody else, and stay', async () => {
    const store = await nightly(3);
    await store.remove([key(0, 'manifest.json')]);
    // A date in the future makes no backup the newest.
    putBackup(store, '2027-11-21T03:00:00Z');
    await putDrill(store, { source: 'orders', id: idAt(night(1)) }, '2026-11-21T05:00:00Z');
    const later = { ...fakeWorld({ [here]: store }, '2026-11-25T00:00:00Z') };
    const report = await prune({ source: 'orders', store: here, 'keep-last': '1' }, later);
    expect(bad(report)).toEqual(['backup-hidden fail']);
    expect(await keysOf(store, key(0, 'database'))).toHaveLength(1);
    store.overwrite(key(0, 'in-progress.json'), Buffer.from('x'), night(0));
    expect(bad(await prune({ source: 'orders', store: here, 'keep-last': '1' }, later))).toEqual([]);
    expect(await keysOf(store, key(0, ''))).toEqual([]);
  });

  it('older than the newest backup and without a mark are the work of somebody else, too', async () => {
    const store = await nightly(4);
    await store.remove([key(2, 'manifest.json')]);
    const report = await pruned([store]);
    expect(bad(report)).toEqual(['backup-hidden fail']);
    expect(messageOf(report, 'backup-hidden')).toContain(idAt(night(2)));
    expect(await keysOf(store, key(2, ''))).toEqual([key(2, 'database.dump.zst')]);
  });

  it('of a prune that was killed after it had taken a manifest are removed by the next one', async () => {
    const store = await nightly(4);
    const remove = store.remove.bind(store);
    store.remove = async (keys) => {
      await remove(keys);
      if (keys.some((one) => one.endsWith('manifest.json'))) throw new Failure('store-unavailable', 'Killed.');
      return [];
    };
    await pruned([store]);
    expect(await keysOf(store, key(3, ''))).toEqual([key(3, 'database.dump.zst'), key(3, 'removing.json')]);
    store.remove = remove;
    expect(bad(await pruned([store]))).toEqual([]);
    expect(await nightsIn(store)).toEqual([0, 1]);
    expect(await keysOf(store, key(3, ''))).toEqual([]);
  });

  it('keep their manifest when it could not be removed, and no mark that it would be', async () => {
    const store = await nightly(4);
    const remove = store.remove.bind(store);
    store.remove = async (keys) => {
      const isRefused = (one: string) => one.endsWith('manifest.json');
      await remove(keys.filter((one) => !isRefused(one)));
      return keys.filter(isRefused).map((one) => ({ key: one, reason: 'AccessDenied' }));
    };
    expect(bad(await pruned([store]))).toEqual(['prune-removed fail']);
    expect(await keysOf(store, key(3, ''))).toEqual([key(3, 'database.dump.zst'), key(3, 'manifest.json')]);
  });

  it('lose the mark of a removal that was ended before it began, where the backup is kept', async () => {
    const store = await nightly(3);
    store.overwrite(key(0, 'removing.json'), Buffer.from('{}'), night(0));
    expect(bad(await pruned([store], { 'keep-last': '3', 'dry-run': 'true' }))).toEqual([]);
    expect(await keysOf(store, key(0, 'removing'))).toHaveLength(1);
    expect(bad(await pruned([store], { 'keep-last': '3' }))).toEqual([]);
    expect(await keysOf(store, key(0, 'removing'))).toEqual([]);
    expect(await nightsIn(store)).toEqual([0, 1, 2]);
  });

  it('lose the mark of a run that was killed once its backup was whole, but not that of one still at work', async () => {
    const store = await nightly(3);
    const minutesAgo = (minutes: number) => new Date(at(now).getTime() - minutes * 60_000);
    store.overwrite(key(0, 'in-progress.json'), Buffer.from('{}'), minutesAgo(59));
    store.overwrite(key(1, 'in-progress.json'), Buffer.from('{}'), minutesAgo(61));
    expect(bad(await pruned([store], { 'keep-last': '3' }))).toEqual([]);
    expect(await keysOf(store, key(0, 'in-progress'))).toHaveLength(1);
    expect(await keysOf(store, key(1, 'in-progress'))).toEqual([]);
    expect(await nightsIn(store)).toEqual([0, 1, 2]);
    // Robbed of its manifest later, it is not taken for a backup that was never finished.
    await store.remove([key(1, 'manifest.json')]);
    await pruned([store], { 'keep-last': '3' });
    expect(await keysOf(store, key(1, ''))).toEqual([key(1, 'database.dump.zst')]);
  });

  it('stay when the plan itself was refused', async () => {
    const store = await nightly(13);
    putBackup(store, night(14), { withoutManifest: true });
    await pruned([store]);
    expect(await keysOf(store, key(14, ''))).toHaveLength(2);
  });
});

it('shows the size of the backups that are kept, and of a dry run those that would be', async () => {
  const sizes = async (raw: Record<string, string>) => {
    const { trends } = await pruned([await nightly(5)], raw);
    return trends.map(({ title, points }) => [title, points.length]);
  };
  expect(await sizes({ 'keep-last': '3' })).toEqual([[`Size of the kept backups of orders in ${here}`, 3]]);
  expect(await sizes({ 'keep-last': '4', 'dry-run': 'true' })).toEqual([
    [`Size of the kept backups of orders in ${here}`, 4],
  ]);
  expect(await sizes({ 'keep-last': '1' })).toEqual([]);
});

describe('ten thousand backups', () => {
  it('are pruned with one listing, and reads only of what is kept in place of others and what goes', async () => {
    const store = memoryStore({ location: here, now: () => at(now) });
    for (let hour = 0; hour < 10_000; hour += 1)
      putBackup(store, new Date(at(now).getTime() - hour * HOUR_MS), { bytes: 10 });
    await putDrill(store, { source: 'orders', id: idAt(at(now)) }, now);
    const before = { ...store.calls };
    const report = await pruned([store], { 'keep-last': '', 'keep-within': '415d15h', 'keep-daily': '7' });
    expect(report.outputs).toMatchObject({ 'removed-count': '25', 'kept-count': '9975' });
    expect(store.calls.list - before.list).toBe(1 + 1);
    // 25 that go, 7 daily ones, the newest, and drill record and manifest of the proven one.
    expect(store.calls.get - before.get).toBeLessThanOrEqual(25 + 7 + 1 + 2);
  });
});
