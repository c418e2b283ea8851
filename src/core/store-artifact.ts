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
  const branches = stores.map((store) => openBranch(store, key, options));
  let bytes = 0;
  try {
    for await (const chunk of withStallLimit(body, key, { ...options, noneLeft: whenNoneIsLeft(branches) })) {
      hash.update(chunk);
      bytes += chunk.length;
      await Promise.all(branches.map((branch) => write(branch, chunk, options)));
      if (branches.every((branch) => branch.error !== undefined)) break;
      options.onBytes?.(chunk.length);
    }
    for (const branch of branches) branch.pass.end();
  } catch (error) {
    for (const branch of branches) branch.pass.destroy(asError(error));
    throw error;
  } finally {
    body.destroy();
    await Promise.all(branches.map((branch) => settle(branch, options)));
  }
  options.signal.throwIfAborted();
  return conclude(branches, { bytes, sha256: hash.digest('hex') }, key);
}

function openBranch(store: Store, key: string, options: StoreArtifactOptions): Branch {
  const { expectedBytes, atOnce = 1, signal } = options;
  const pass = new PassThrough({ highWaterMark: Math.ceil(BRANCH_BUFFER / atOnce) });
  const dropped = new AbortController();
  const onBytes = () => {
    branch.signs += 1;
  };
  const put = store.put(key, pass, {
    ...{ expectedBytes, atOnce, onBytes },
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

async function whenNoneIsLeft(branches: readonly Branch[]): Promise<void> {
  await Promise.all(branches.map((branch) => branch.settled));
  // One that says it has all of it before it was given all of it is not believed.
  if (branches.some((branch) => branch.error === undefined)) await new Promise(() => {});
}

async function firstOf(event: Promise<void>, ms: number, sleep: World['sleep']): Promise<void> {
  const stop = new AbortController();
  await Promise.race([event, sleep(ms, stop.signal)]);
  stop.abort();
}

function drained(branch: Branch): Promise<void> {
  return new Promise((resolve) => {
    branch.pass.once('drain', resolve);
    branch.pass.once('close', resolve);
  });
}

function drop(branch: Branch): void {
  const failure = stalledStore(branch.store);
  branch.error = failure;
  branch.dropped.abort(failure);
  branch.pass.destroy(failure);
}

/** Ends early when no store is left to take anything. */
async function* withStallLimit(
  body: Readable,
  key: string,
  options: StoreArtifactOptions & { readonly noneLeft: Promise<void> },
): AsyncGenerator<Buffer> {
  const over = options.noneLeft.then(() => ({ done: true }) as const);
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const stop = new AbortController();
    const stalled = options.sleep(options.stallMs, stop.signal).then(() => 'stalled' as const);
    const next = await Promise.race([chunks.next(), stalled, over]).finally(() => stop.abort());
    options.signal.throwIfAborted();
    if (next === 'stalled') throw stall(key, options.stallMs);
    if (next.done) return;
    yield next.value;
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
