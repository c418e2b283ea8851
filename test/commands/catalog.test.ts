import { beforeEach, describe, expect, it } from 'vitest';
import { list } from '../../src/commands/list.ts';
import { pin } from '../../src/commands/pin.ts';
import { show } from '../../src/commands/show.ts';
import { unpin } from '../../src/commands/unpin.ts';
import { Failure } from '../../src/core/failure.ts';
import { backupKey, IN_PROGRESS, MANIFEST, REMOVING } from '../../src/core/keys.ts';
import type { RestoreRecord } from '../../src/core/records.ts';
import type { Report } from '../../src/core/report.ts';
import { renderText } from '../../src/core/report-text.ts';
import { interruptible } from '../../src/interruptible.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, keysOf, putBackup, putDrill } from '../fixtures.ts';

const NOW = '2026-11-21T12:00:00Z';
const both = 'memory:a\nmemory:b';
let a: MemoryStore;
let b: MemoryStore;
const world = () => fakeWorld({ 'memory:a': a, 'memory:b': b }, NOW);
const rowsOf = ({ outputs }: Report): unknown => JSON.parse(outputs.backups ?? 'null');

beforeEach(() => {
  a = memoryStore({ location: 'memory:a', now: () => at(NOW) });
  b = memoryStore({ location: 'memory:b', now: () => at(NOW) });
});

/** The same backup in both stores. */
function putBoth(moment: string, fixture: Parameters<typeof putBackup>[2] = {}) {
  putBackup(b, moment, fixture);
  return putBackup(a, moment, fixture);
}

describe('list', () => {
  it('lists every source and store, newest first, each backup once with its stores and proofs', async () => {
    const old = putBoth('2026-11-19');
    const drilled = putBackup(a, '2026-11-20');
    await putDrill(a, drilled, '2026-11-20T06:00:00Z', { store: 'memory:a' });
    putBackup(b, '2026-11-18', { source: 'wallets', scope: 'tables' });
    const report = await list({ store: both }, world());
    expect(report.verdict).toBe('pass');
    expect(rowsOf(report)).toMatchObject(
      [
        {
          id: drilled.id,
          copies: [{ store: 'memory:a', proof: 'proven', bytes: 1_000 }],
          major: 15,
          databaseBytes: 10_000,
          encrypted: false,
        },
        { id: old.id, copies: [{ store: 'memory:a', drilledAt: undefined }, { store: 'memory:b' }] },
        { source: 'wallets', scope: 'tables', copies: [{ store: 'memory:b' }] },
      ].map((row) => JSON.parse(JSON.stringify(row))),
    );
    const text = renderText(report);
    expect(text).toContain('orders: 2 backups');
    expect(text).toMatch(
      /20261120T000000Z-\w+ +1d 12h +0\.98 KiB +full +proven 1d 6h ago +PostgreSQL 15, 9\.77 KiB +1\n/,
    );
    expect(text).toMatch(/20261119T000000Z-\w+ .* not drilled .* 1, 2\n/);
  });

  it('says of a drill that it speaks for one copy only', async () => {
    const drilled = putBoth('2026-11-20');
    await putDrill(a, drilled, '2026-11-20T06:00:00Z', { store: 'memory:a' });
    await putDrill(b, drilled, '2026-11-20T06:00:00Z', { store: 'memory:a' });
    expect(renderText(await list({ store: both }, world()))).toContain('proven 1d 6h ago in 1, not drilled in 2');
  });

  it('names what is no backup, and what was one', async () => {
    const unreadable = putBackup(a, '2026-11-10').id;
    a.overwrite(backupKey('orders', unreadable, MANIFEST), Buffer.from('garbage'));
    const removed = putBackup(a, '2026-11-11', { withoutManifest: true, modifiedAt: at('2026-11-11') }).id;
    a.overwrite(backupKey('orders', removed, REMOVING), Buffer.from('{}'), at('2026-11-11'));
    putBackup(a, '2026-11-12', { withoutManifest: true });
    const robbed = putBackup(a, '2026-11-13').id;
    a.hide(backupKey('orders', robbed, MANIFEST));
    putBackup(a, '2026-11-21T11:50:00Z', { withoutManifest: true });
    const report = await list({ store: 'memory:a' }, world());
    const states = rowsOf(report) as { copies: { state: string }[] }[];
    expect(states.map(({ copies }) => copies[0]?.state)).toEqual([
      'in progress',
      'manifest gone',
      'unfinished',
      'half removed',
      'unreadable',
    ]);
    expect(report.findings.filter(({ status }) => status === 'warn').map(({ rule }) => rule)).toEqual([
      'backup-hidden',
      'manifest-unreadable',
    ]);
  });

  it('fails where there is nothing, and is unknown where it could not look', async () => {
    expect(await list({ store: 'memory:a' }, world())).toMatchObject({ verdict: 'fail' });
    putBackup(a, '2026-11-20');
    expect(await list({ store: 'memory:a', source: 'other' }, world())).toMatchObject({ verdict: 'fail' });
    b.failWith(new Failure('store-unavailable', 'It does not answer.'));
    const report = await list({ store: both }, world());
    expect(report).toMatchObject({ verdict: 'unknown', sources: ['orders'] });
  });

  it('reads of ten thousand backups those it shows, and lists no more than it must', async () => {
    for (let hour = 0; hour < 10_000; hour += 1)
      putBackup(a, new Date(at(NOW).getTime() - hour * 3_600_000), { bytes: 8 });
    const report = await list({ store: 'memory:a' }, world());
    expect(rowsOf(report)).toHaveLength(20);
    expect(renderText(report)).toContain('orders: the newest 20; `--limit all` lists every one');
    expect(a.calls).toEqual({ get: 20, list: 1 });
    const [newest] = rowsOf(report) as { id: string }[];
    await show({ store: 'memory:a', backup: newest?.id ?? '' }, world());
    expect(a.calls.get).toBe(21);
    await pin({ store: 'memory:a', backup: newest?.id ?? '', reason: 'x' }, world());
    await unpin({ store: 'memory:a', backup: newest?.id ?? '' }, world());
    expect(a.calls).toMatchObject({ get: 21 });
    expect(a.calls.list).toBeLessThan(10);
  });
});

function restoreOf(backup: string): RestoreRecord {
  return {
    format: 1,
    id: '20261120T090000Z-aaaaaa',
    source: 'orders',
    backup,
    manifestSha256: '0'.repeat(64),
    takenAt: '2026-11-20T03:15:00Z',
    store: 'memory:a',
    startedAt: '2026-11-20T09:00:00Z',
    finishedAt: '2026-11-20T09:05:00Z',
    way: 'beside',
    target: { server: 'db:5432', database: 'orders' },
    database: 'orders_old',
    kept: null,
    safetyBackup: null,
    restoreSeconds: 290,
    dataLossSeconds: 20_700,
    verdict: 'pass',
    failedAt: null,
    findings: [],
    steps: [],
    tool: { name: 'lifeboat', version: '1.0.0' },
  };
}

describe('show', () => {
  it('tells of each copy, drill, pin and restore, and gives the command', async () => {
    const { id } = putBoth('2026-11-20');
    await putDrill(a, { source: 'orders', id }, '2026-11-20T06:00:00Z', { store: 'memory:a' });
    await pin({ store: 'memory:b', backup: id, reason: 'the audit', for: '2w' }, world());
    const record = restoreOf(id);
    a.overwrite(`orders/restores/${record.id}.json`, Buffer.from(JSON.stringify(record)));
    a.overwrite('orders/restores/20261120T100000Z-bbbbbb.json', Buffer.from('garbage'));
    const { way: _, ...incomplete } = { ...record, id: '20261120T110000Z-cccccc', startedAt: '2026-11-20T11:00:00Z' };
    a.overwrite(`orders/restores/${incomplete.id}.json`, Buffer.from(JSON.stringify(incomplete)));
    const report = await show({ store: both, backup: id }, world());
    const text = renderText(report);
    expect(report.verdict).toBe('pass');
    expect(text).toContain(
      `Restore it: lifeboat restore --source orders --backup ${id} --store memory:a --store memory:b --target-url-file FILE`,
    );
    expect(text).toMatch(/memory:a\/orders\/\S+ +proven 1d 6h ago +0\.98 KiB\n +memory:b\/orders\/\S+ +not drilled/);
    expect(text).toContain('2026-12-05T12:00:00Z  the audit');
    expect(text).toMatch(/2026-11-20T09:00:00Z, .* pass .* orders on db:5432 +orders_old/);
    expect(text).not.toContain('2026-11-20T11:00:00Z');
    expect(JSON.parse(report.outputs.manifest ?? '')).toMatchObject({ id });
  });

  it('finds the newest of the only source, and asks for the source where there are two', async () => {
    putBackup(a, '2026-11-19');
    const { id } = putBackup(a, '2026-11-20');
    expect(await show({ store: 'memory:a', backup: 'latest' }, world())).toMatchObject({
      outputs: { 'backup-id': id },
    });
    putBackup(a, '2026-11-20', { source: 'wallets' });
    await expect(show({ store: 'memory:a', backup: 'latest' }, world())).rejects.toMatchObject({
      code: 'invalid-input',
      hint: 'Say of which source: there are orders, wallets.',
    });
    await expect(show({ store: 'memory:a', backup: id }, world())).rejects.toMatchObject({
      message: `${id} is a backup of orders and of wallets.`,
    });
    expect(await show({ store: 'memory:a', backup: id, source: 'wallets' }, world())).toMatchObject({
      verdict: 'pass',
    });
  });

  it('fails where an artifact is missing, and where the manifest cannot be read', async () => {
    const { id } = putBoth('2026-11-20');
    await b.remove([backupKey('orders', id, 'database.dump.zst')]);
    expect(await show({ store: both, backup: id }, world())).toMatchObject({
      verdict: 'fail',
      findings: [{ rule: 'artifact-missing', subject: 'memory:b' }, { status: 'pass' }],
    });
    a.overwrite(backupKey('orders', id, MANIFEST), Buffer.from('garbage'));
    expect(renderText(await show({ store: 'memory:a', backup: id }, world()))).toContain('unreadable');
  });

  it('shows what is being made, and says that it is no backup', async () => {
    const { id } = putBackup(a, '2026-11-21T11:50:00Z', { withoutManifest: true });
    expect(await keysOf(a, `orders/${id}/${IN_PROGRESS}`)).toHaveLength(1);
    expect(await show({ store: 'memory:a', backup: id }, world())).toMatchObject({ verdict: 'warn' });
  });
});

describe('pin and unpin', () => {
  it('pins every copy, in a record of its own, and lets go of all of them', async () => {
    const { id } = putBoth('2026-11-20');
    expect(await pin({ store: both, backup: id, reason: 'audit' }, world())).toMatchObject({ verdict: 'pass' });
    expect(await pin({ store: both, backup: id, reason: 'audit', for: '1w' }, world())).toMatchObject({
      verdict: 'pass',
    });
    for (const store of [a, b]) {
      expect(await keysOf(store, `orders/${id}/pin`)).toEqual([
        `orders/${id}/pin-20261128T120000Z.json`,
        `orders/${id}/pin-forever.json`,
      ]);
    }
    const again = await pin({ store: both, backup: id, reason: 'other' }, world());
    expect(again.findings.map(({ message }) => message)).toEqual(Array(2).fill('It was pinned for ever before.'));
    const let_go = await unpin({ store: both, backup: id }, world());
    expect(let_go.headline).toMatchObject([{ value: expect.stringContaining('It is the newest backup') }]);
    for (const store of [a, b]) expect(await keysOf(store, `orders/${id}/pin`)).toEqual([]);
    expect((await unpin({ store: both, backup: id }, world())).findings[0]?.message).toBe('It was not pinned.');
  });

  it('says that the next prune may take what is no longer pinned', async () => {
    const { id } = putBackup(a, '2026-11-19');
    putBackup(a, '2026-11-20');
    expect((await unpin({ store: 'memory:a', backup: id }, world())).headline[0]?.value).toMatch(/^The next prune/);
  });

  it('fails for the store that refuses, and pins the others', async () => {
    const { id } = putBoth('2026-11-20');
    const refusing = {
      ...interruptible(b, new AbortController().signal),
      put: async () => Promise.reject(new Failure('store-denied', 'No.')),
    };
    const pinned = await pin(
      { store: both, backup: id, reason: 'x' },
      fakeWorld({ 'memory:a': a, 'memory:b': refusing }, NOW),
    );
    expect(pinned).toMatchObject({
      verdict: 'fail',
      findings: [{ status: 'pass' }, { status: 'fail', subject: 'memory:b' }],
    });
    expect(await keysOf(a, `orders/${id}/pin`)).toHaveLength(1);
  });

  it('refuses to pin what has no manifest anywhere', async () => {
    const { id } = putBackup(a, '2026-11-21T11:50:00Z', { withoutManifest: true });
    await expect(pin({ store: 'memory:a', backup: id, reason: 'x' }, world())).rejects.toMatchObject({
      code: 'backup-not-found',
    });
  });
});
