import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { DeleteObjectCommand, HeadObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import type { ObjectVersion, Store } from '../core/ports.ts';
import { cancelled } from './body.ts';
import type { S3Access } from './s3-access.ts';
import { openRanges } from './s3-download.ts';
import { statusOf, undefinedWhere } from './s3-errors.ts';
import { listVersions, type Version } from './s3-list.ts';
import { lockObject, lockUntil } from './s3-lock.ts';
import { uploadObject } from './s3-upload.ts';

type Named = Pick<ObjectVersion, 'key' | 'versionId' | 'bytes' | 'tag'>;

/** Every version under `prefix`, of each key the newest first. */
export async function* versionsUnder(
  access: S3Access,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectVersion> {
  for await (const { key, versions } of listVersions(access, prefix)) {
    if (signal?.aborted === true) throw cancelled(signal);
    for (const version of newestFirst(versions)) yield describe(key, version);
  }
}

/** A page lists objects and markers apart, each newest first; times of some stores are whole seconds. */
function newestFirst(versions: readonly Version[]): Version[] {
  const at = ({ isLatest, modifiedAt }: Version) => (isLatest ? Number.POSITIVE_INFINITY : modifiedAt.getTime());
  return versions.toSorted((a, b) => (at(a) === at(b) ? 0 : at(b) - at(a)));
}

function describe(key: string, version: Version): ObjectVersion {
  const { versionId = 'null', bytes, etag: tag, modifiedAt, isLatest, isMarker } = version;
  return { key, versionId, bytes, tag, modifiedAt, isCurrent: isLatest, isDeletion: isMarker };
}

export async function openVersion(
  access: S3Access,
  version: Named,
  options: { start?: number; length?: number; signal?: AbortSignal } = {},
): Promise<Readable> {
  if (options.signal?.aborted === true) throw cancelled(options.signal);
  const { key, versionId, bytes, tag: etag } = version;
  if (!(await isThere(access, version))) throw gone(access, key, versionId);
  const start = Math.min(options.start ?? 0, bytes);
  const end = Math.min(start + (options.length ?? bytes), bytes);
  return openRanges(access, { key, versionId, etag, start, end }, options.signal);
}

/** A version that was never there is 404; its name may also be one that no version of this store can have: 400. */
async function isThere(access: S3Access, { key, versionId }: Named): Promise<boolean> {
  const target = { Bucket: access.place.bucket, Key: access.full(key), VersionId: versionId };
  const isAbsent = (error: unknown) => [400, 404, 405].includes(statusOf(error) ?? 0);
  const command = new HeadObjectCommand(target);
  const head = await access.call('s3:GetObjectVersion', (client) =>
    client.send(command).catch(undefinedWhere(isAbsent)),
  );
  return head !== undefined;
}

/**
 * Makes a version the current one. Delete markers above it are taken away; where that is not allowed, or other bytes
 * lie above it, its own are written once more. What was written over it stays, as evidence.
 */
export async function bringBack(
  access: S3Access,
  version: ObjectVersion,
  store: Pick<Store, 'head'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { key, versionId } = version;
  const all = await Array.fromAsync(versionsUnder(access, key, signal));
  const own = all.filter((one) => one.key === key);
  const at = own.findIndex((one) => one.versionId === versionId && !one.isDeletion);
  if (at < 0) throw gone(access, key, versionId);
  const above = own.slice(0, at);
  if (above.length === 0) return;
  if (above.every(({ isDeletion }) => isDeletion) && (await takeAway(access, above))) return;
  await writeAgain(access, version, store, signal);
}

/** @returns false where deletions may not be taken away */
async function takeAway(access: S3Access, markers: readonly ObjectVersion[]): Promise<boolean> {
  for (const { key, versionId } of markers) {
    const target = { Bucket: access.place.bucket, Key: access.full(key), VersionId: versionId };
    const isForbidden = undefinedWhere((error) => statusOf(error) === 403);
    const command = new DeleteObjectCommand(target);
    const answer = await access.call(
      's3:DeleteObjectVersion',
      (client) => client.send(command).catch(isForbidden),
      key,
    );
    if (answer === undefined) return false;
  }
  return true;
}

async function writeAgain(
  access: S3Access,
  version: ObjectVersion,
  store: Pick<Store, 'head'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { key, bytes } = version;
  const lockedUntil = lockUntil(access, key);
  const ending = signal === undefined ? {} : { signal };
  const body = await openVersion(access, version, ending);
  // Removing a key takes every version with it: what an upload that fails leaves here must stay.
  const lookup: Pick<Store, 'head' | 'remove'> = { head: (name) => store.head(name), remove: async () => [] };
  const options = { expectedBytes: bytes, lockedUntil, ...ending };
  const copy = await uploadObject(access, key, body, options, lookup);
  if (!copy.isConfirmed) await readBack(access, { key, ...copy }, signal);
  if (lockedUntil !== undefined) await lockObject(access, key, lockedUntil);
}

async function readBack(
  access: S3Access,
  { key, bytes, tag, sha256 }: { key: string; bytes: number; tag: string; sha256: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of openRanges(access, { key, etag: tag, start: 0, end: bytes }, signal)) hash.update(chunk);
  if (hash.digest('hex') === sha256) return;
  throw new Failure('artifact-corrupt', `${access.place.location} kept other bytes under ${key} than were sent.`, {
    hint: 'Copy the backup into another store before anything else is done here.',
  });
}

function gone(access: S3Access, key: string, versionId: string): Failure {
  return new Failure('not-found', `${access.place.location} holds no version ${versionId} of ${key}.`, {
    hint: 'A lifecycle rule, or somebody who may delete versions, has removed it. Look for the backup in another store.',
  });
}

/** Folders at the top that hold a version of anything, be it deleted. */
export async function listVersionFolders(access: S3Access): Promise<string[]> {
  const { bucket: Bucket, root: Prefix } = access.place;
  const folders = new Set<string>();
  let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
  while (next !== undefined) {
    // Without the encoding of names: those of sources need none, and others are no sources.
    const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({
      Bucket,
      Prefix,
      Delimiter: '/',
      ...next,
    });
    const page = await access.call('s3:ListBucketVersions', (client) => client.send(command));
    for (const found of page.CommonPrefixes ?? []) folders.add(access.relative(found.Prefix ?? '').slice(0, -1));
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: id } = page;
    next = page.IsTruncated === true && KeyMarker ? { KeyMarker, ...(id && { VersionIdMarker: id }) } : undefined;
  }
  return [...folders].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
