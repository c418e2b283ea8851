import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/ports.ts';
import { storeArtifact } from '../../src/core/store-artifact.ts';
import { memoryStore } from '../../src/stores/memory.ts';

const CHUNK = 1 << 20;

function* chunks(count: number) {
  for (let at = 0; at < count; at++) yield Buffer.alloc(CHUNK, at);
}

function options(changes: Partial<Parameters<typeof storeArtifact>[3]> = {}) {
  return {
    expectedBytes: 64 * CHUNK,
    stallMs: 60_000,
    // A minute passes in a few turns of the loop, and not at all once the signal aborts.
    sleep: (ms: number, signal?: AbortSignal) => delay(ms / 2_000, undefined, { signal }).catch(() => {}),
    signal: new AbortController().signal,
    ...changes,
  };
}

function withPut(put: Store['put'], location = 'memory:///odd'): Store {
  return Object.assign(Object.create(memoryStore()), { put, location });
}

describe('an artifact on its way into the stores', () => {
  it('is the same in every store, and hashed on the way', async () => {
    const stores = [memoryStore(), memoryStore()];
    const stored = await storeArtifact(Readable.from(chunks(9)), stores, 'db/x', options());
    const whole = Buffer.concat([...chunks(9)]);
    expect(stored).toMatchObject({ bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') });
    expect([...stored.copies.keys()]).toEqual(stores);
    for (const store of stores) expect((await buffer(await store.get('db/x'))).equals(whole)).toBe(true);
  });

  it('is nowhere when the dump breaks off', async () => {
    const store = memoryStore();
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new Error('pg_dump exited with 1');
      })(),
    );
    await expect(storeArtifact(broken, [store], 'db/x', options())).rejects.toThrow('pg_dump exited with 1');
    expect(await store.head('db/x')).toBeUndefined();
  });

  it('goes on into the others when one store refuses it', async () => {
    const good = memoryStore();
    const full = withPut(() => Promise.reject(new Error('no space left')));
    const stored = await storeArtifact(Readable.from(chunks(9)), [full, good], 'db/x', options());
    expect([...stored.copies.keys()]).toEqual([good]);
    expect(String(stored.failed.get(full))).toContain('no space left');
  });

  it('drops a store that takes nothing for a minute', async () => {
    const good = memoryStore();
    const slow = withPut(async (_, body) => {
      await new Promise((resolve) => body.once('close', resolve));
      throw new Error('closed');
    });
    const stored = await storeArtifact(Readable.from(chunks(9)), [slow, good], 'db/x', options());
    expect(stored.failed.get(slow)).toMatchObject({ code: 'stalled' });
    expect(stored.bytes).toBe(9 * CHUNK);
  });

  it('fails with the first store that refused when none is left', async () => {
    const refuse = (why: string) => withPut(() => Promise.reject(new Error(why)));
    const stores = [refuse('access denied'), refuse('no space left')];
    await expect(storeArtifact(Readable.from(chunks(99)), stores, 'db/x', options())).rejects.toThrow('access denied');
  });

  it('is given up when the dump goes silent', async () => {
    const silent = new Readable({ read() {} });
    const writing = storeArtifact(silent, [memoryStore()], 'db/x', options({ stallMs: 1_000 }));
    await expect(writing).rejects.toMatchObject({ code: 'stalled' });
    expect(silent.destroyed).toBe(true);
  });

  it('is not believed when the store says it has other bytes', async () => {
    const lying = withPut(async (_, body) => {
      const bytes = await buffer(body);
      return { bytes: bytes.length, sha256: '0'.repeat(64), tag: 'x' };
    });
    await expect(storeArtifact(Readable.from(chunks(1)), [lying], 'db/x', options())).rejects.toThrow(
      'stored other bytes',
    );
  });

  it('stops, and stops the dump, when the run is cancelled', async () => {
    const abort = new AbortController();
    const endless = Readable.from(
      (async function* () {
        for (let at = 0; ; at++) {
          if (at === 3) abort.abort(new Error('cancelled by the user'));
          await delay(1);
          yield Buffer.alloc(1000);
        }
      })(),
    );
    const writing = storeArtifact(endless, [memoryStore()], 'db/x', options({ signal: abort.signal }));
    await expect(writing).rejects.toThrow('cancelled by the user');
    expect(endless.destroyed).toBe(true);
  });
});
