import { createHash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { Failure } from './failure.ts';
import type { Store, StoredCopy, World } from './ports.ts';
import { STORE_STALL_MS, stalledStore } from './stalled-store.ts';

/** Bytes a store may lag behind before the dump waits for it, of artifacts stored at once together. */
const BRANCH_BUFFER = 4 << 20;
/** What a store that was dropped gets to take back what it holds. */
const DROP_GRACE_MS = 5_000;

export interface StoreArtifactOptions {
  /** Upper bound of the stored bytes; chooses part sizes. */
  readonly expectedBytes: number;
  /** Artifacts stored at the same time, this one included. */
  readonly atOnce?: number;
  /** Time without a byte from `body` after which the source is given up. */
  readonly stallMs: number;
  readonly sleep: World['sleep'];
  readonly signal: AbortSignal;
  /** Called with the number of bytes of each chunk that went out. */
  readonly onBytes?: (bytes: number) => void;
}

export interface StoredArtifact {
  readonly bytes: number;
  /** Of the stored bytes, lower-case hex. */
  readonly sha256: string;
  readonly copies: ReadonlyMap<Store, StoredCopy>;
  /** Stores that took no complete copy, and why; nothing is visible there under `key`. */
  readonly failed: ReadonlyMap<Store, unknown>;
}

interface Branch {
  readonly store: Store;
  readonly pass: PassThrough;
  /** Never rejects. */
  readonly settled: Promise<void>;
  /** Aborts when the store was dropped. */
  readonly dropped: AbortController;
  /** Calls of `onBytes` so far. */
  signs: number;
  isSettled: boolean;
  copy?: StoredCopy;
  error?: unknown;
}

/**
 * Streams bytes once and writes them to every store, hashing on the way. Memory stays flat whatever
 * their number: the slowest store sets the pace, until it stalls and is dropped.
 *
 * @param body destroyed when it is not read to its end
 * @throws what `body` errors with, `stalled` when it yields nothing for `stallMs`, the reason of
 *         `signal`, or, when no store is left, the first store's failure; nothing is visible then
 */
export async function storeArtifact(
  body: Readable,
  stores: readonly Store[],
  key: string,
  options: StoreArtifactOptions,
): Promise<StoredArtifact> {
  const hash = createHash('sha256');
  const ownsChunks = stores.length === 1;
  const branches = stores.map((store) => openBranch(store, key, { ...options, ownsChunks }));
  const reading = { chunks: 0, isWaiting: true };
  const stopWatching = watchBody(body, reading, { key, branches, options });
  let bytes = 0;
  try {
    for await (const chunk of body) {
      options.signal.throwIfAborted();
      reading.isWaiting = false;
      hash.update(chunk);
      const size = chunk.length; // a store may empty what it alone was given
      bytes += size;
      await Promise.all(branches.map((branch) => write(branch, chunk, options)));
      if (branches.every(hasFailed)) break;
      options.onBytes?.(size);
      reading.chunks += 1;
      reading.isWaiting = true;
    }
    for (const branch of branches) branch.pass.end();
  } catch (error) {
    for (const branch of branches) branch.pass.destroy(asError(error));
    if (!branches.every(hasFailed) || options.signal.aborted) throw error;
  } finally {
    stopWatching();
    body.destroy();
    await Promise.all(branches.map((branch) => settle(branch, options)));
  }
  options.signal.throwIfAborted();
  return conclude(branches, { bytes, sha256: hash.digest('hex') }, key);
}

function openBranch(store: Store, key: string, options: StoreArtifactOptions & { ownsChunks: boolean }): Branch {
  const { expectedBytes, atOnce = 1, ownsChunks, signal } = options;
  const pass = new PassThrough({ highWaterMark: Math.ceil(BRANCH_BUFFER / atOnce) });
  const dropped = new AbortController();
  const onBytes = () => {
    branch.signs += 1;
  };
  const put = store.put(key, pass, {
    ...{ expectedBytes, atOnce, ownsChunks, onBytes },
    signal: AbortSignal.any([signal, dropped.signal]),
  });
  const settled = put.then(
    (copy) => void Object.assign(branch, { copy, isSettled: true }),
    (error: unknown) => {
      branch.isSettled = true;
      branch.error ??= error;
      pass.destroy();
    },
  );
  const branch: Branch = { store, pass, settled, dropped, signs: 0, isSettled: false };
  pass.on('error', () => {}); // reaches `put`, which rejects with it
  return branch;
}

function hasFailed({ error }: Branch): boolean {
  return error !== undefined;
}

/** Resolves when the store has room again, has failed, or was dropped because it took nothing for a minute. */
async function write(branch: Branch, chunk: Buffer, { sleep }: StoreArtifactOptions): Promise<void> {
  if (branch.error !== undefined || branch.pass.destroyed || branch.pass.write(chunk)) return;
  for (let before: number | undefined; branch.pass.writableNeedDrain && !branch.pass.destroyed; ) {
    if (signsOf(branch) === before) return drop(branch);
    before = signsOf(branch);
    await firstOf(drained(branch), STORE_STALL_MS, sleep);
  }
}

/**
 * Resolves when the store has said what became of the artifact, or was dropped because it showed no
 * sign of life for a minute. What cannot be ended, such as a write that hangs in the kernel, goes on unheard.
 */
async function settle(branch: Branch, { sleep }: StoreArtifactOptions): Promise<void> {
  for (let before: number | undefined; !branch.isSettled; ) {
    if (branch.dropped.signal.aborted) return firstOf(branch.settled, DROP_GRACE_MS, sleep);
    if (signsOf(branch) === before) drop(branch);
    else {
      before = signsOf(branch);
      await firstOf(branch.settled, STORE_STALL_MS, sleep);
    }
  }
}

/** Changes while the store is at work. Nothing is written meanwhile, so the buffers shrink when it takes anything. */
function signsOf({ pass, signs }: Branch): number {
  return signs - pass.writableLength - pass.readableLength;
}

async function firstOf(event: Promise<void>, ms: number, sleep: World['sleep']): Promise<void> {
  const stop = new AbortController();
  await Promise.race([event, sleep(ms, stop.signal)]);
  stop.abort();
}

function drained({ pass }: Branch): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      pass.off('drain', over).off('close', over);
      resolve();
    };
    pass.once('drain', over).once('close', over);
  });
}

function drop(branch: Branch): void {
  const failure = stalledStore(branch.store);
  branch.error = failure;
  branch.dropped.abort(failure);
  branch.pass.destroy(failure);
}

/** What was read so far, and whether more is waited for: a body that nobody reads may be silent. */
interface Reading {
  readonly chunks: number;
  readonly isWaiting: boolean;
}

/**
 * Ends `body` with the reason when the run is stopped, when no store is left to take anything, or when no byte came
 * for `stallMs` (told within a quarter of it). By one watch for all chunks: a promise that lives as long as the
 * body and is raced with each of them would hold them all in memory.
 *
 * @returns ends the watch
 */
function watchBody(
  body: Readable,
  reading: Reading,
  { key, branches, options }: { key: string; branches: readonly Branch[]; options: StoreArtifactOptions },
): () => void {
  const { signal, stallMs, sleep } = options;
  const over = new AbortController();
  const end = (reason: unknown) => void (over.signal.aborted || body.destroy(asError(reason)));
  const stop = () => end(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  void Promise.all(branches.map(({ settled }) => settled)).then(() => {
    // One that says it has all of it before it was given all of it is not believed.
    if (branches.every(hasFailed)) end(branches[0]?.error);
  });
  void whenSilent(reading, { stallMs, sleep, signal: over.signal }).then(() => end(stall(key, stallMs)));
  return () => {
    over.abort();
    signal.removeEventListener('abort', stop);
  };
}

const LOOKS = 4;

async function whenSilent(
  reading: Reading,
  { stallMs, sleep, signal }: Pick<StoreArtifactOptions, 'stallMs' | 'sleep' | 'signal'>,
): Promise<void> {
  for (let [before, quiet] = [-1, 0]; quiet < LOOKS && !signal.aborted; ) {
    await sleep(stallMs / LOOKS, signal);
    quiet = reading.isWaiting && reading.chunks === before ? quiet + 1 : 0;
    before = reading.chunks;
  }
}

function stall(key: string, ms: number): Failure {
  return new Failure('stalled', `No byte of ${key} came for ${Math.round(ms / 1000)} s.`, {
    hint: 'The database server or the network to it hangs. Look at its activity, or raise `stall-timeout`.',
  });
}

function conclude(branches: readonly Branch[], body: { bytes: number; sha256: string }, key: string): StoredArtifact {
  const copies = new Map<Store, StoredCopy>();
  const failed = new Map<Store, unknown>();
  for (const { store, copy, error } of branches) {
    if (copy === undefined || error !== undefined) failed.set(store, error);
    else if (copy.sha256 === body.sha256 && copy.bytes === body.bytes) copies.set(store, copy);
    else
      failed.set(
        store,
        new Failure('artifact-corrupt', `${store.location} stored other bytes of ${key} than it was given.`),
      );
  }
  if (copies.size === 0) throw [...failed.values()][0];
  return { ...body, copies, failed };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
