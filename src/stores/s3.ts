import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import type {
  HiddenObject,
  LifecycleRule,
  LockTraits,
  ObjectState,
  ObjectVersion,
  OpenUpload,
  PutOptions,
  Store,
  StoredCopy,
  StoredObject,
  StoreTraits,
} from '../core/ports.ts';
import { cancelled, guardBody } from './body.ts';
import { S3Access, type S3Context } from './s3-access.ts';
import { setStorageClass } from './s3-class.ts';
import { openRanges } from './s3-download.ts';
import { statusOf, undefinedWhere } from './s3-errors.ts';
import { readLifecycle } from './s3-lifecycle.ts';
import { listFolders, listObjects, listUploads, listVersions } from './s3-list.ts';
import { type Lock, lockObject, lockUntil } from './s3-lock.ts';
import { readLockTraits, tryTraits } from './s3-probe.ts';
import { type NotRemoved, S3Remover } from './s3-remove.ts';
import { uploadObject } from './s3-upload.ts';
import { bringBack, listVersionFolders, openVersion, versionsUnder } from './s3-versions.ts';
import type { S3Place } from './store-url.ts';
import { alreadyThere, isRewritten } from './write-once.ts';

/**
 * A bucket, or a prefix of one, as a store. Credentials come from the AWS default chain. `onBytes` of
 * `put` counts whole parts, since only then the store has taken them.
 */
export function s3Store(place: S3Place, context: S3Context): Store {
  return new S3(new S3Access(place, context));
}

class S3 implements Store {
  readonly location: string;
  readonly #access: S3Access;
  readonly #remover: S3Remover;

  constructor(access: S3Access) {
    this.#access = access;
    this.#remover = new S3Remover(access);
    this.location = access.place.location;
  }

  async put(key: string, body: Readable, options: PutOptions = {}): Promise<StoredCopy> {
    const stop = guardBody(body, options.signal);
    try {
      const isTaken = !isRewritten(key) && (await this.head(key)) !== undefined;
      if (isTaken) throw alreadyThere(`${key} in ${this.location}`);
      const lockedUntil = lockUntil(this.#access, key);
      const given = { ...options, lockedUntil };
      const { isConfirmed, ...copy } = await uploadObject(this.#access, key, body, given, this);
      if (!isConfirmed) await this.#confirm(key, copy, options);
      if (lockedUntil !== undefined) await this.#lock(key, lockedUntil);
      return copy;
    } finally {
      stop();
      body.destroy(); // no effect on a body that was read to its end
    }
  }

  async get(key: string, options: { start?: number; length?: number; signal?: AbortSignal } = {}): Promise<Readable> {
    if (options.signal?.aborted === true) throw cancelled(options.signal);
    const state = await this.head(key);
    if (state === undefined) throw new Failure('not-found', `${key} is not in ${this.location}.`);
    const start = Math.min(options.start ?? 0, state.bytes);
    const end = Math.min(start + (options.length ?? state.bytes), state.bytes);
    return openRanges(this.#access, { key, etag: state.tag, start, end }, options.signal);
  }

  async head(key: string): Promise<ObjectState | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#access.place.bucket, Key: this.#access.full(key) });
    const head = await this.#access.call(
      's3:GetObject',
      (client) =>
        client
          .send(command)
          .catch(undefinedWhere((error) => statusOf(error) === 404))
          .catch((error: unknown) => this.#askWhy(error, command)),
      key,
    );
    if (head === undefined) return undefined;
    const { ContentLength: bytes = 0, LastModified: modifiedAt = new Date(0), ETag: etag = '' } = head;
    return { key, bytes, modifiedAt, tag: etag.replaceAll('"', '') };
  }

  list(prefix: string, options: { after?: string; signal?: AbortSignal } = {}): AsyncIterable<StoredObject> {
    return listObjects(this.#access, prefix, options);
  }

  async listFolders(options: { deleted?: boolean } = {}): Promise<string[]> {
    const isAll = options.deleted === true && (await this.#remover.isVersioned());
    return isAll ? listVersionFolders(this.#access) : listFolders(this.#access);
  }

  remove(keys: readonly string[]): Promise<NotRemoved[]> {
    return this.#remover.remove(keys);
  }

  locks(prefix: string): Promise<Lock[]> {
    return this.#remover.locks(prefix);
  }

  keepsVersions(): Promise<boolean> {
    return this.#remover.isVersioned();
  }

  async *hidden(prefix: string): AsyncIterable<HiddenObject> {
    if (!(await this.#remover.isVersioned())) return;
    for await (const { key, versions } of listVersions(this.#access, prefix)) {
      const marker = versions.find(({ isLatest, isMarker }) => isLatest && isMarker);
      if (marker !== undefined && versions.some(({ isMarker }) => !isMarker))
        yield { key, hiddenAt: marker.modifiedAt };
    }
  }

  async *versionsUnder(prefix: string, options: { signal?: AbortSignal } = {}): AsyncIterable<ObjectVersion> {
    if (await this.#remover.isVersioned()) yield* versionsUnder(this.#access, prefix, options.signal);
  }

  getVersion(
    version: Pick<ObjectVersion, 'key' | 'versionId' | 'bytes' | 'tag'>,
    options: { start?: number; length?: number; signal?: AbortSignal } = {},
  ): Promise<Readable> {
    return openVersion(this.#access, version, options);
  }

  undelete(version: ObjectVersion, options: { signal?: AbortSignal } = {}): Promise<void> {
    return bringBack(this.#access, version, this, options.signal);
  }

  setStorageClass(key: string, storageClass: string): Promise<void> {
    return setStorageClass(this.#access, key, storageClass);
  }

  openUploads(prefix: string): AsyncIterable<OpenUpload> {
    return listUploads(this.#access, prefix);
  }

  async freeSpace(): Promise<undefined> {
    return undefined;
  }

  lifecycle(): Promise<readonly LifecycleRule[] | undefined> {
    return readLifecycle(this.#access);
  }

  lockTraits(): Promise<LockTraits> {
    return readLockTraits(this.#access);
  }

  traits(key: string): Promise<StoreTraits> {
    return tryTraits(this.#access, key);
  }

  retries(): number {
    return this.#access.retries;
  }

  async close(): Promise<void> {
    this.#access.client.destroy();
  }

  /** An answer to HEAD has no body, so a refusal has no name there; the same question as GET is refused with one. */
  async #askWhy(error: unknown, { input }: HeadObjectCommand): Promise<never> {
    const status = statusOf(error);
    if (status !== 400 && status !== 403) throw error;
    const command = new GetObjectCommand({ ...input, Range: 'bytes=0-0' });
    const answer = await this.#access.client.send(command).catch((named: unknown) => {
      throw statusOf(named) === status ? named : error;
    });
    (answer.Body as Readable).destroy();
    throw error;
  }

  async #lock(key: string, until: Date): Promise<void> {
    try {
      await lockObject(this.#access, key, until);
    } catch (error) {
      await this.remove([key]);
      throw error;
    }
  }

  async #confirm(key: string, copy: StoredCopy, options: PutOptions): Promise<void> {
    try {
      await this.#readBack(key, copy, options);
    } catch (error) {
      // Should it stay, no manifest names it; why it could not be read is what matters.
      await this.remove([key]).catch(() => {});
      throw error;
    }
  }

  /** With SSE-KMS, and in stores of other minds, the ETag is no MD5: then only the bytes themselves can tell. */
  async #readBack(key: string, copy: StoredCopy, options: PutOptions): Promise<void> {
    const hash = createHash('sha256');
    const stream = await this.get(key, options.signal === undefined ? {} : { signal: options.signal });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      options.onBytes?.(0); // a sign of life, so that nobody takes the reading for a stall
    }
    if (hash.digest('hex') === copy.sha256) return;
    throw new Failure('artifact-corrupt', `${this.location} kept other bytes under ${key} than were sent.`, {
      hint: 'Do not keep backups in this store before its maker has explained that.',
    });
  }
}
