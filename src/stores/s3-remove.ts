import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { inLanes, mapInLanes } from '../core/lanes.ts';
import type { S3Access } from './s3-access.ts';
import { nameOf, s3Failure, statusOf, undefinedWhere } from './s3-errors.ts';
import { listVersions } from './s3-list.ts';
import { type Lock, lockOf, type Target } from './s3-lock.ts';

const BATCH = 1_000;
const LANES = 8;

export interface NotRemoved {
  readonly key: string;
  readonly reason: string;
}

/** What a bucket does with versions and locks, asked once; and removal that respects it. */
export class S3Remover {
  readonly #access: S3Access;
  #versioned: Promise<boolean> | undefined;
  #lockable: Promise<boolean> | undefined;
  #knowsBatches = true;

  constructor(access: S3Access) {
    this.#access = access;
  }

  isVersioned(): Promise<boolean> {
    this.#versioned ??= this.#askVersioning();
    return this.#versioned;
  }

  /**
   * Removes keys; on a versioned bucket every version and delete marker of them. A marker goes only
   * when all versions of its key are gone: removed alone, it would bring a locked version back.
   */
  async remove(keys: readonly string[]): Promise<NotRemoved[]> {
    if (keys.length === 0) return [];
    if (!(await this.isVersioned())) return this.#delete(keys.map((key) => ({ key })));
    const { versions, markers } = await this.#versionsOf(keys);
    const left = await this.#delete(versions);
    const stuck = new Set(left.map(({ key }) => key));
    return [...left, ...(await this.#delete(markers.filter(({ key }) => !stuck.has(key))))];
  }

  async locks(prefix: string): Promise<Lock[]> {
    this.#lockable ??= this.#askLocking();
    if (!(await this.#lockable)) return [];
    const targets: Target[] = [];
    for await (const { key, versions } of listVersions(this.#access, prefix)) {
      for (const { versionId, isMarker } of versions) if (!isMarker) targets.push({ key, versionId });
    }
    const locks = await mapInLanes(targets, LANES, (target) => lockOf(this.#access, target));
    return locks.filter((lock) => lock !== undefined);
  }

  async #askVersioning(): Promise<boolean> {
    const command = new GetBucketVersioningCommand({ Bucket: this.#access.place.bucket });
    const answer = await this.#access.call('s3:GetBucketVersioning', (client) =>
      client.send(command).catch(undefinedWhere(isUnknownCall)),
    );
    return answer?.Status !== undefined;
  }

  async #askLocking(): Promise<boolean> {
    const command = new GetObjectLockConfigurationCommand({ Bucket: this.#access.place.bucket });
    const answer = await this.#access.call('s3:GetBucketObjectLockConfiguration', (client) =>
      client
        .send(command)
        .catch(undefinedWhere((error) => isUnknownCall(error) || /ObjectLockConfiguration/.test(nameOf(error)))),
    );
    return answer?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
  }

  /** One listing per folder: the keys of one backup are removed together. */
  async #versionsOf(keys: readonly string[]): Promise<{ versions: Target[]; markers: Target[] }> {
    const folders = Map.groupBy(keys, (key) => key.slice(0, key.lastIndexOf('/') + 1));
    const versions: Target[] = [];
    const markers: Target[] = [];
    await inLanes([...folders.values()], LANES, async (group) => {
      const wanted = new Set(group);
      for await (const found of listVersions(this.#access, sharedBeginning(group))) {
        if (!wanted.has(found.key)) continue;
        for (const { versionId, isMarker } of found.versions) {
          (isMarker ? markers : versions).push({ key: found.key, versionId });
        }
      }
    });
    return { versions, markers };
  }

  async #delete(targets: readonly Target[]): Promise<NotRemoved[]> {
    const left: NotRemoved[] = [];
    for (let start = 0; start < targets.length; start += BATCH) {
      const batch = targets.slice(start, start + BATCH);
      left.push(...(this.#knowsBatches ? await this.#deleteBatch(batch) : await this.#deleteSingly(batch)));
    }
    return [...new Map(left.map((entry) => [entry.key, entry])).values()];
  }

  async #deleteBatch(batch: readonly Target[]): Promise<NotRemoved[]> {
    const { bucket: Bucket } = this.#access.place;
    const Objects = batch.map(({ key, versionId }) => ({ Key: this.#access.full(key), VersionId: versionId }));
    const answer = await this.#access.call('s3:DeleteObject', (client) =>
      client
        .send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
        .catch(undefinedWhere(isRefusedBatch)),
    );
    if (answer === undefined) {
      // DeleteObjects always carries a CRC32, which stores that are not AWS may refuse.
      this.#knowsBatches = false;
      return this.#deleteSingly(batch);
    }
    const errors = (answer.Errors ?? []).filter(({ Code }) => Code !== 'NoSuchKey' && Code !== 'NoSuchVersion');
    return errors.map(({ Key = '', Code = 'error', Message }) => {
      return { key: this.#access.relative(Key), reason: reasonOf(Code, Message) };
    });
  }

  async #deleteSingly(batch: readonly Target[]): Promise<NotRemoved[]> {
    const left = await mapInLanes(batch, LANES, (target) => this.#deleteOne(target));
    return left.filter((entry) => entry !== undefined);
  }

  async #deleteOne({ key, versionId }: Target): Promise<NotRemoved | undefined> {
    const { bucket: Bucket, location } = this.#access.place;
    const input = { Bucket, Key: this.#access.full(key), VersionId: versionId };
    try {
      await this.#access.client.send(new DeleteObjectCommand(input));
      return undefined;
    } catch (error) {
      const failure = s3Failure(error, { permission: 's3:DeleteObject', location, key });
      if (failure.code === 'not-found') return undefined;
      // A refusal of this one object, e.g. by its lock. Everything else would go on failing for all.
      if (statusOf(error) === 403 && nameOf(error) === 'AccessDenied') return { key, reason: failure.message };
      throw failure;
    }
  }
}

function reasonOf(code: string, message: string | undefined): string {
  const said = message ? `${code}: ${message}` : code;
  if (code !== 'AccessDenied') return said;
  return `${said} (it is locked, or \`s3:DeleteObject\` and \`s3:DeleteObjectVersion\` are not allowed)`;
}

/** Stores without versions or locks do not know the question. */
function isUnknownCall(error: unknown): boolean {
  const status = statusOf(error);
  return status === 405 || status === 501 || nameOf(error) === 'NotImplemented';
}

function isRefusedBatch(error: unknown): boolean {
  const refusals = [
    'BadDigest',
    'InvalidDigest',
    'InvalidRequest',
    'InvalidArgument',
    'MissingContentMD5',
    'MalformedXML',
    // Ceph 16 wants the right to delete on the whole bucket for this call; object by object a prefix will do.
    'AccessDenied',
  ];
  return isUnknownCall(error) || statusOf(error) === 411 || refusals.includes(nameOf(error));
}

function sharedBeginning(keys: readonly string[]): string {
  let shared = keys[0] ?? '';
  for (const key of keys) while (!key.startsWith(shared)) shared = shared.slice(0, -1);
  return shared;
}
