import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { LifecycleRule, Store } from '../../src/core/ports.ts';

/** An empty store to test, and what it takes to bring about what the port itself cannot. */
export interface Subject {
  readonly store: Store;
  /** Hides a key as somebody else's deletion would; absent where a deletion is final. */
  readonly hide?: (key: string) => Promise<void>;
  /** Writes over a key as somebody else would; absent where what was there is then gone. */
  readonly overwrite?: (key: string, bytes: Buffer) => Promise<void>;
  /** Locks an object; null is a legal hold. Absent where nothing can be locked. */
  readonly lock?: (key: string, until: Date | null) => Promise<void>;
  /** Gives the bucket rules, with prefixes relative to the store; absent where a store has none of its own. */
  readonly setLifecycle?: (rules: readonly LifecycleRule[]) => Promise<void>;
  /** Leaves an upload behind as a process that was killed does. */
  readonly leaveUpload: (key: string) => Promise<void>;
}

const MIB = 1024 * 1024;
const PAGE = 1_000;

// Slash, dash and dot sort around each other, and each of the rest needs escaping somewhere on its way.
const ODD_KEYS = [
  'db/20261121T031500Z-3f9a1c/a b.json',
  'db/a+b',
  'db/a%2Fb',
  'db/a&b=c',
  'db/a?b#c',
  "db/it's",
  'db/"quoted"',
  'db/<tag>',
  'db/back\\slash',
  'db/line\nbreak',
  'db/Grüße 🛟.json',
  'db/{curly}|~^`',
  'db/*',
];

/** What every store owes the rest of the program. A new store calls this and is done. */
export function storeContract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} keeps the store contract`, () => {
    describe('writing and reading', () => describeReadWrite(open));
    describe('uploads that break off', () => describeBroken(open));
    describe('listing', () => describeListing(open));
    describe('removing', () => describeRemoving(open));
    describe('versions, locks, unfinished uploads', () => describeRest(open));
    describe('older versions', () => describeVersions(open));
  });
}

function describeReadWrite(open: () => Promise<Subject>): void {
  it('reads back the bytes it was given', async () => {
    const { store } = await open();
    const copy = await store.put('db/one', Readable.from(['hel', 'lo']));
    expect(copy).toMatchObject({ bytes: 5, sha256: sha256(Buffer.from('hello')) });
    expect(await text(await store.get('db/one'))).toBe('hello');
  });

  it('keeps an object without a byte', async () => {
    const { store } = await open();
    const copy = await store.put('db/none', Readable.from([]));
    expect(copy).toMatchObject({ bytes: 0, sha256: sha256(Buffer.alloc(0)) });
    expect(await buffer(await store.get('db/none'))).toHaveLength(0);
    expect(await store.head('db/none')).toMatchObject({ bytes: 0, tag: copy.tag });
  });

  it.each([
    ['known', 45 * MIB],
    ['unknown', undefined],
    ['guessed far too small', 1],
  ])('keeps a large object whose length is %s', { timeout: 60_000 }, async (_, expectedBytes) => {
    const { store } = await open();
    const bytes = randomBytes(41 * MIB + 12_345);
    let taken = 0;
    const onBytes = (more: number) => {
      taken += more;
    };
    const options = { onBytes, ...(expectedBytes && { expectedBytes }) };
    const copy = await store.put('db/large', inChunks(bytes), options);
    expect(copy).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
    expect(taken).toBe(bytes.length);
    expect(sha256(await buffer(await store.get('db/large')))).toBe(sha256(bytes));
    expect(await store.head('db/large')).toMatchObject({ bytes: bytes.length, tag: copy.tag });
    expect(await uploadsOf(store, '')).toEqual([]);
  });

  it.each([
    { start: 0, length: 3 },
    { start: 9 * MIB - 1, length: 9 * MIB },
    { start: 20 * MIB },
    { length: 1 },
    { start: 20 * MIB, length: 50 * MIB },
    { start: 21 * MIB },
    { start: 99 * MIB, length: 5 },
    { start: 5, length: 0 },
  ])('reads the range $start + $length', { timeout: 60_000 }, async (range) => {
    const { store } = await open();
    const bytes = randomBytes(21 * MIB);
    await store.put('db/ranges', inChunks(bytes));
    const start = range.start ?? 0;
    const expected = bytes.subarray(start, range.length === undefined ? undefined : start + range.length);
    const read = await buffer(await store.get('db/ranges', range));
    expect([read.length, sha256(read)]).toEqual([expected.length, sha256(expected)]);
  });

  it('keeps odd but legal keys', { timeout: 60_000 }, async () => {
    const { store } = await open();
    for (const key of ODD_KEYS) await store.put(key, Readable.from([key]));
    expect(await keysOf(store, 'db/')).toEqual(sorted(ODD_KEYS));
    for (const key of ODD_KEYS) expect(await text(await store.get(key))).toBe(key);
    for (const key of ODD_KEYS) expect(await store.head(key)).toMatchObject({ key });
    expect(await store.remove(ODD_KEYS)).toEqual([]);
    expect(await keysOf(store, '')).toEqual([]);
  });

  it('writes objects once, and overwrites only in-progress.json', async () => {
    const { store } = await open();
    await store.put('db/id/manifest.json', Readable.from(['first']));
    const second = Readable.from(['second']);
    await expect(store.put('db/id/manifest.json', second)).rejects.toMatchObject({
      code: 'store-denied',
      message: expect.stringContaining('exists already'),
    });
    expect(second).toMatchObject({ readableDidRead: false, destroyed: true });
    expect(await text(await store.get('db/id/manifest.json'))).toBe('first');
    await store.put('db/id/in-progress.json', Readable.from(['first']));
    await store.put('db/id/in-progress.json', Readable.from(['second']));
    expect(await text(await store.get('db/id/in-progress.json'))).toBe('second');
  });

  it('says what is stored under a key, and that nothing is', async () => {
    const { store } = await open();
    const before = Date.now();
    const { tag } = await store.put('db/one', Readable.from(['hello']));
    const state = await store.head('db/one');
    expect(state).toMatchObject({ key: 'db/one', bytes: 5, tag });
    expect(Math.abs((state?.modifiedAt.getTime() ?? 0) - before)).toBeLessThan(60_000);
    expect(await store.head('db')).toBeUndefined();
    expect(await store.head('db/on')).toBeUndefined();
  });

  it('has nothing to read where nothing was written', async () => {
    const { store } = await open();
    await store.put('db/one', Readable.from(['hello']));
    await expect(store.get('db/two')).rejects.toMatchObject({ code: 'not-found' });
    await expect(store.get('db')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('ends a read when the signal aborts', async () => {
    const { store } = await open();
    await store.put('db/large', inChunks(randomBytes(40 * MIB)));
    const cancel = new AbortController();
    const stream = await store.get('db/large', { signal: cancel.signal });
    await expect(readUntil(stream, 1, () => cancel.abort())).rejects.toMatchObject({ code: 'cancelled' });
    await expect(store.get('db/large', { signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
}

function describeBroken(open: () => Promise<Subject>): void {
  it.each([0, 1, 20 * MIB])('leaves nothing behind when the body breaks off after %i bytes', async (size) => {
    const { store } = await open();
    await store.put('db/whole', Readable.from(['here so that the store exists']));
    const error = new Error('pg_dump exited with 1');
    await expect(store.put('db/broken', failingAfter(size, error))).rejects.toBe(error);
    await expectNothing(store, 'db/broken');
  });

  it('rejects with the error of a body that broke before anybody read it', async () => {
    const { store } = await open();
    await store.put('db/whole', Readable.from(['here so that the store exists']));
    const error = new Error('could not start');
    const body = new Readable({ read() {} });
    const put = store.put('db/broken', body);
    body.destroy(error);
    await expect(put).rejects.toBe(error);
    await expectNothing(store, 'db/broken');
  });

  it.each([0, 1, 20 * MIB])('leaves nothing behind when the signal aborts after %i bytes', async (size) => {
    const { store } = await open();
    await store.put('db/whole', Readable.from(['here so that the store exists']));
    const cancel = new AbortController();
    const { body, isStuck } = stuckAfter(size);
    const put = store.put('db/broken', body, { signal: cancel.signal });
    await Promise.race([isStuck, put]);
    cancel.abort();
    await expect(put).rejects.toMatchObject({ name: 'Failure', code: 'cancelled' });
    expect(body.destroyed).toBe(true);
    await expectNothing(store, 'db/broken');
  });

  it('does not begin when the signal has aborted already', async () => {
    const { store } = await open();
    await store.put('db/whole', Readable.from(['here so that the store exists']));
    const signal = AbortSignal.abort();
    const body = Readable.from(['hello']);
    await expect(store.put('db/broken', body, { signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(body.destroyed).toBe(true);
    await expectNothing(store, 'db/broken');
  });
}

function describeListing(open: () => Promise<Subject>): void {
  it('lists past one page, in order, also after a key', { timeout: 120_000 }, async () => {
    const { store } = await open();
    // Named so that the second page begins with a key that must be escaped to be handed back.
    const keys = Array.from({ length: PAGE + 50 }, (_, index) => `db/${String(index).padStart(5, '0')} ü +%&<>`);
    await inLanes(keys, (key) => store.put(key, Readable.from(['x'])));
    expect(await keysOf(store, 'db/')).toEqual(keys);
    expect(await keysOf(store, 'db/', keys[9])).toEqual(keys.slice(10));
    expect(await keysOf(store, 'db/', `${keys[1030]}!`)).toEqual(keys.slice(1031));
    expect(await store.listFolders()).toEqual(['db']);
    expect(await store.remove(keys)).toEqual([]);
    expect(await keysOf(store, '')).toEqual([]);
  });

  it('lists in the order of bytes, whatever is a folder', async () => {
    const { store } = await open();
    const keys = ['a', 'a!/x', 'a-b/x', 'a.x', 'a/b', 'a/b-c', 'a/b.c', 'a/b0/x', 'a0', 'ab/x', 'é/x', '𝄞/x', '￿/x'];
    const written = keys.filter((key) => key !== 'a');
    for (const key of written) await store.put(key, Readable.from([key]));
    expect(await keysOf(store, '')).toEqual(sorted(written));
    for (const [index, key] of sorted(written).entries()) {
      expect(await keysOf(store, '', key)).toEqual(sorted(written).slice(index + 1));
    }
  });

  it('takes a prefix literally, so that one source never sees another', async () => {
    const { store } = await open();
    for (const key of ['db/1', 'db-x/1', 'db0/1', 'd', 'x/db/1']) await store.put(key, Readable.from([key]));
    expect(await keysOf(store, 'db/')).toEqual(['db/1']);
    expect(await keysOf(store, 'db')).toEqual(['db-x/1', 'db/1', 'db0/1']);
    expect(await keysOf(store, 'db/1/')).toEqual([]);
    expect(await keysOf(store, 'none/')).toEqual([]);
    expect(await store.listFolders()).toEqual(['db', 'db-x', 'db0', 'x']);
  });

  it('says size and time of what it lists', async () => {
    const { store } = await open();
    await store.put('db/one', Readable.from(['hello']));
    const [found] = await Array.fromAsync(store.list('db/'));
    const state = await store.head('db/one');
    expect(found).toMatchObject({ key: 'db/one', bytes: 5 });
    // Stores keep fractions of a second in one answer and leave them out in another.
    expect(Math.abs((found?.modifiedAt.getTime() ?? 0) - (state?.modifiedAt.getTime() ?? 0))).toBeLessThan(1_000);
  });

  it('stops listing when the signal has aborted', async () => {
    const { store } = await open();
    await store.put('db/one', Readable.from(['hello']));
    const listing = Array.fromAsync(store.list('db/', { signal: AbortSignal.abort() }));
    await expect(listing).rejects.toMatchObject({ code: 'cancelled' });
  });
}

function describeRemoving(open: () => Promise<Subject>): void {
  it('removes what it is told and nothing else', async () => {
    const { store } = await open();
    for (const key of ['db/1/a', 'db/1/ab', 'db/2/a', 'db-x/1/a']) await store.put(key, Readable.from([key]));
    expect(await store.remove(['db/1/a', 'db/2/a'])).toEqual([]);
    expect(await keysOf(store, '')).toEqual(['db-x/1/a', 'db/1/ab']);
  });

  it('forgives removing what is already gone', async () => {
    const { store } = await open();
    await store.put('db/one', Readable.from(['hello']));
    expect(await store.remove(['db/one', 'never/was', 'db/one/below'])).toEqual([]);
    expect(await store.remove(['db/one'])).toEqual([]);
    expect(await store.remove([])).toEqual([]);
  });

  it('takes a key again after it was removed', async () => {
    const { store } = await open();
    await store.put('db/one', Readable.from(['first']));
    await store.remove(['db/one']);
    expect(await store.listFolders()).toEqual([]);
    await store.put('db/one', Readable.from(['second']));
    expect(await text(await store.get('db/one'))).toBe('second');
  });

  it('removes every version, so that nothing is left to be paid for', async () => {
    const { store, hide } = await open();
    await store.put('db/id/in-progress.json', Readable.from(['first']));
    await store.put('db/id/in-progress.json', Readable.from(['second']));
    await hide?.('db/id/in-progress.json');
    expect(await store.remove(['db/id/in-progress.json'])).toEqual([]);
    expect(await keysOf(store, '')).toEqual([]);
    expect(await Array.fromAsync(store.hidden(''))).toEqual([]);
  });
}

function describeRest(open: () => Promise<Subject>): void {
  it('tells what somebody else hid', async () => {
    const { store, hide } = await open();
    for (const key of ['db/1', 'db/2', 'db-x/3']) await store.put(key, Readable.from([key]));
    await hide?.('db/1');
    await hide?.('db-x/3');
    const hidden = await Array.fromAsync(store.hidden('db/'));
    expect(hidden.map(({ key }) => key)).toEqual(hide === undefined ? [] : ['db/1']);
    for (const { hiddenAt } of hidden) expect(Math.abs(hiddenAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await keysOf(store, 'db/')).toEqual(hide === undefined ? ['db/1', 'db/2'] : ['db/2']);
  });

  it('tells what is locked and keeps it', async () => {
    const { store, lock } = await open();
    for (const key of ['db/1', 'db/2', 'db/3', 'db-x/4']) await store.put(key, Readable.from([key]));
    expect(await store.locks('')).toEqual([]);
    if (lock === undefined) return;
    const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 30_000);
    await lock('db/1', until);
    await lock('db/2', null);
    await lock('db-x/4', null);
    const locks = (await store.locks('db/')).toSorted((a, b) => a.key.localeCompare(b.key));
    expect(locks).toEqual([
      { key: 'db/1', until },
      { key: 'db/2', until: null },
    ]);
    const left = await store.remove(['db/1', 'db/2', 'db/3']);
    expect(left.map(({ key }) => key).sort()).toEqual(['db/1', 'db/2']);
    for (const { reason } of left) expect(reason).not.toBe('');
    expect(await keysOf(store, 'db/')).toEqual(['db/1', 'db/2']);
  });

  it('finds the uploads of a killed process, hides them from lists, and aborts them', { timeout: 60_000 }, async () => {
    const { store, leaveUpload } = await open();
    await store.put('db/id/manifest.json', Readable.from(['{}']));
    await leaveUpload('db/id/database.dump.zst');
    await leaveUpload('db-x/id/database.dump.zst');
    expect(await keysOf(store, '')).toEqual(['db/id/manifest.json']);
    expect(await store.head('db/id/database.dump.zst')).toBeUndefined();
    const [upload, ...others] = await uploadsOf(store, 'db/');
    expect(others).toEqual([]);
    expect(upload?.key).toBe('db/id/database.dump.zst');
    for (const at of [upload?.startedAt, upload?.lastChangeAt]) {
      expect(Math.abs((at?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    }
    await upload?.abort();
    await upload?.abort();
    expect(await uploadsOf(store, 'db/')).toEqual([]);
    expect((await uploadsOf(store, '')).map(({ key }) => key)).toEqual(['db-x/id/database.dump.zst']);
  });

  it('counts nothing as tried again where nothing went wrong', async () => {
    const { store } = await open();
    await store.put('db/one', inChunks(randomBytes(MIB)));
    await expect(store.get('db/two')).rejects.toMatchObject({ code: 'not-found' });
    expect(await keysOf(store, '')).toEqual(['db/one']);
    expect(store.retries()).toBe(0);
  });

  it('says by which rules it would remove or move something itself', async () => {
    const { store, setLifecycle } = await open();
    if (setLifecycle === undefined) {
      expect(await store.lifecycle()).toBeUndefined();
      return;
    }
    const none = { isNarrowed: false, expires: undefined, archives: undefined, abortsUploadsAfterDays: undefined };
    const rules: LifecycleRule[] = [
      { ...none, name: 'old', prefix: '', expires: { afterDays: 30 } },
      { ...none, name: 'parts', prefix: 'db/', abortsUploadsAfterDays: 7 },
    ];
    await setLifecycle(rules);
    const found = (await store.lifecycle()) ?? [];
    expect(found.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(rules);
  });

  it('finds out what it is like by writing under one key, and leaves that key to be removed', async () => {
    const { store } = await open();
    const key = '.lifeboat-doctor-x/1/in-progress.json';
    await store.put(key, Readable.from(['probe']));
    const { conditionalWrites, clockOffsetSeconds, fileSystem } = await store.traits(key);
    for (const answer of Object.values(conditionalWrites)) expect(answer).toMatch(/^(honoured|ignored|not-supported)$/);
    expect(await uploadsOf(store, '')).toEqual([]);
    if (clockOffsetSeconds !== undefined) expect(Math.abs(clockOffsetSeconds)).toBeLessThan(60);
    if (fileSystem !== undefined) expect(fileSystem.name).not.toBe('');
    const { isPossible, byDefault } = await store.lockTraits();
    expect(isPossible || byDefault === undefined).toBe(true);
    expect(await store.remove([key])).toEqual([]);
    expect(await keysOf(store, '')).toEqual([]);
  });

  it('knows the room it has, or that the question makes no sense', async () => {
    const { store } = await open();
    const space = await store.freeSpace();
    if (space !== undefined) expect(space.freeBytes).toBeLessThanOrEqual(space.totalBytes);
    if (space !== undefined) expect(space.freeBytes).toBeGreaterThan(0);
  });
}

function describeVersions(open: () => Promise<Subject>): void {
  it('tells every version, of each key the newest first, or that it keeps none', async () => {
    const { store, hide, overwrite } = await open();
    for (const key of ['db/1', 'db/2', 'db-x/3']) await store.put(key, Readable.from([key]));
    await overwrite?.('db/1', Buffer.from('garbage'));
    await hide?.('db/1');
    const found = await versionsOf(store, 'db/');
    if (overwrite === undefined) return expect(found).toEqual([]);
    expect(found.map(({ key, bytes, isCurrent, isDeletion }) => ({ key, bytes, isCurrent, isDeletion }))).toEqual([
      { key: 'db/1', bytes: 0, isCurrent: true, isDeletion: true },
      { key: 'db/1', bytes: 7, isCurrent: false, isDeletion: false },
      { key: 'db/1', bytes: 4, isCurrent: false, isDeletion: false },
      { key: 'db/2', bytes: 4, isCurrent: true, isDeletion: false },
    ]);
    for (const { modifiedAt } of found) expect(Math.abs(modifiedAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(new Set(found.map(({ versionId }) => versionId)).size).toBe(found.length);
  });

  it('names the folders of what was deleted only when it is asked to', async () => {
    const { store, hide } = await open();
    for (const key of ['db/1', 'gone/1']) await store.put(key, Readable.from([key]));
    await hide?.('gone/1');
    expect(await store.listFolders()).toEqual(hide === undefined ? ['db', 'gone'] : ['db']);
    expect(await store.listFolders({ deleted: true })).toEqual(['db', 'gone']);
  });

  it('reads a version, and refuses one that it does not have', async () => {
    const { store, overwrite } = await open();
    await store.put('db/one', Readable.from(['first']));
    await overwrite?.('db/one', Buffer.from('second, and longer'));
    const [second, first] = await versionsOf(store, 'db/one');
    if (first === undefined || second === undefined) {
      const never = { key: 'db/one', versionId: 'v1', bytes: 5, tag: 'x' };
      return expect(store.getVersion(never)).rejects.toMatchObject({ code: 'not-found' });
    }
    expect(await text(await store.getVersion(first))).toBe('first');
    expect(await text(await store.getVersion(second, { start: 8, length: 3 }))).toBe('and');
    const removed = { ...first, key: 'db/other' };
    await expect(store.getVersion(removed)).rejects.toMatchObject({ code: 'not-found' });
    await expect(store.undelete(removed)).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['was deleted', false],
    ['was written over', true],
  ])('brings back what %s, and removes no version', { timeout: 60_000 }, async (_, isOverwritten) => {
    const { store, hide, overwrite } = await open();
    const bytes = randomBytes(20 * MIB);
    await store.put('db/one', inChunks(bytes));
    await store.put('db/one-more', Readable.from(['beside it']));
    if (hide === undefined || overwrite === undefined) return;
    if (isOverwritten) await overwrite('db/one', randomBytes(100));
    await hide('db/one');
    await hide('db/one');
    const before = (await versionsOf(store, 'db/')).filter(({ isDeletion }) => !isDeletion);
    const first = before.findLast(({ key }) => key === 'db/one');
    if (first !== undefined) await store.undelete(first);
    expect(sha256(await buffer(await store.get('db/one')))).toBe(sha256(bytes));
    const after = (await versionsOf(store, 'db/')).map(({ versionId }) => versionId);
    expect(after).toEqual(expect.arrayContaining(before.map(({ versionId }) => versionId)));
    if (first !== undefined) await store.undelete({ ...first, isCurrent: true });
    expect(await text(await store.get('db/one-more'))).toBe('beside it');
  });
}

function versionsOf(store: Store, prefix: string) {
  return Array.fromAsync(store.versionsUnder(prefix));
}

async function expectNothing(store: Store, key: string): Promise<void> {
  expect(await keysOf(store, key)).toEqual([]);
  expect(await store.head(key)).toBeUndefined();
  expect(await uploadsOf(store, '')).toEqual([]);
}

export async function keysOf(store: Store, prefix: string, after?: string): Promise<string[]> {
  const found = await Array.fromAsync(store.list(prefix, after === undefined ? {} : { after }));
  return found.map(({ key }) => key);
}

function uploadsOf(store: Store, prefix: string) {
  return Array.fromAsync(store.openUploads(prefix));
}

export function inChunks(bytes: Buffer, size = 64 * 1024): Readable {
  return Readable.from(
    (function* () {
      for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
    })(),
    { objectMode: false },
  );
}

function failingAfter(size: number, error: Error): Readable {
  return Readable.from(
    (function* () {
      for (let left = size; left > 0; left -= MIB) yield randomBytes(Math.min(left, MIB));
      throw error;
    })(),
    { objectMode: false },
  );
}

/** A body that gives `size` bytes and then neither ends nor errors. */
function stuckAfter(size: number): { body: Readable; isStuck: Promise<void> } {
  const { promise: isStuck, resolve } = Promise.withResolvers<void>();
  let left = size;
  const body = new Readable({
    read() {
      if (left === 0) return resolve();
      const chunk = randomBytes(Math.min(left, MIB));
      left -= chunk.length;
      this.push(chunk);
    },
  });
  return { body, isStuck };
}

async function readUntil(stream: Readable, bytes: number, then: () => void): Promise<void> {
  let seen = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen >= bytes) then();
  }
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: 24 }, lane));
}

function sorted(keys: readonly string[]): string[] {
  return keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
