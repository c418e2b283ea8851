import { createHash } from 'node:crypto';
import { Failure } from './failure.ts';
import { type BackupId, backupKey, MANIFEST, whereIs } from './keys.ts';
import { type Manifest, readManifest } from './manifest.ts';
import type { Store } from './ports.ts';

/** A manifest that names 10,000 tables takes less than 2 MiB. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

export interface ReadManifest {
  readonly manifest: Manifest;
  /** Of the stored bytes, lower-case hex: what drill records refer to. */
  readonly sha256: string;
}

/**
 * Reads the manifest of one backup.
 *
 * @param listedBytes its size where a listing has told it: the store is asked once less
 * @throws {Failure} `backup-invalid` when it cannot be understood (or is too large to be one),
 *                   `not-found` when there is none, `store-…` when the store could not be read
 */
export async function readManifestOf(
  store: Store,
  source: string,
  id: BackupId,
  signal?: AbortSignal,
  listedBytes?: number,
): Promise<ReadManifest> {
  const key = backupKey(source, id, MANIFEST);
  const bytes = await readSmall(store, key, signal, listedBytes);
  const manifest = readManifest(bytes.toString('utf8'), whereIs(store, key), { source, id });
  return { manifest, sha256: sha256Of(bytes) };
}

/** SHA-256 of bytes or text, lower-case hex. */
export function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Reads a whole record into memory, if it can be one.
 *
 * @throws {Failure} `backup-invalid` when it is larger than 16 MiB; a store error as it came
 */
export async function readSmall(
  store: Store,
  key: string,
  signal?: AbortSignal,
  listedBytes?: number,
): Promise<Buffer> {
  const known = listedBytes ?? (await store.head(key))?.bytes;
  if (known === undefined) throw new Failure('not-found', `${whereIs(store, key)} does not exist.`);
  if (known > MAX_RECORD_BYTES) throw tooLarge(store, key, known);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of await store.get(key, signal ? { signal } : {})) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_RECORD_BYTES) throw tooLarge(store, key, bytes);
  }
  return Buffer.concat(chunks);
}

function tooLarge(store: Store, key: string, bytes: number): Failure {
  return new Failure('backup-invalid', `${whereIs(store, key)} cannot be read: its ${bytes} bytes are no record.`, {
    hint: 'Somebody wrote over it. Take it from another store, or from an older version of the object.',
  });
}

/** Whether an error says that the record itself is bad, and not that the store could not be read. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof Failure && error.code === 'backup-invalid';
}
