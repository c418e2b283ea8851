import { GetObjectLegalHoldCommand, GetObjectRetentionCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import type { S3Access } from './s3-access.ts';
import { statusOf, undefinedWhere } from './s3-errors.ts';
import { isRewritten } from './write-once.ts';

export interface Lock {
  readonly key: string;
  /** Null for a legal hold. */
  readonly until: Date | null;
}

export interface Target {
  readonly key: string;
  readonly versionId?: string | undefined;
}

/** Some stores keep whole seconds only. */
const PRECISION_MS = 1_000;

const isFree = undefinedWhere((error) => statusOf(error) === 404);

/** The lock on one version of an object, if there is one now. */
export async function lockOf(access: S3Access, target: Target): Promise<Lock | undefined> {
  const command = new GetObjectLegalHoldCommand(inputFor(access, target));
  const hold = await access.call('s3:GetObjectLegalHold', (client) => client.send(command).catch(isFree), target.key);
  if (hold?.LegalHold?.Status === 'ON') return { key: target.key, until: null };
  const until = await retentionOf(access, target);
  return until !== undefined && until > access.now() ? { key: target.key, until } : undefined;
}

/** Until when an object written now is to be locked, as the store's URL says. */
export function lockUntil({ place, now }: S3Access, key: string): Date | undefined {
  // The mark of a backup that is being made or removed goes when that is done.
  if (place.objectLock === undefined || isRewritten(key)) return undefined;
  return new Date(now().getTime() + place.objectLock.forMs);
}

/**
 * Makes sure that an object just written is locked. Ceph 16 takes the lock that goes along with a
 * multipart upload and forgets it (measured): the object looks protected and can be deleted.
 */
export async function lockObject(access: S3Access, key: string, until: Date): Promise<void> {
  const isLocked = async () => {
    const found = await retentionOf(access, { key });
    return found !== undefined && found.getTime() > until.getTime() - PRECISION_MS;
  };
  if (await isLocked()) return;
  const Retention = { Mode: access.place.objectLock?.mode, RetainUntilDate: until };
  const command = new PutObjectRetentionCommand({ ...inputFor(access, { key }), Retention });
  await access.call('s3:PutObjectRetention', (client) => client.send(command), key);
  if (await isLocked()) return;
  throw new Failure('store-denied', `${access.place.location} took ${key} but did not lock it.`, {
    hint: 'Create the bucket with object lock, or leave `object-lock` out of the store URL.',
  });
}

async function retentionOf(access: S3Access, target: Target): Promise<Date | undefined> {
  const command = new GetObjectRetentionCommand(inputFor(access, target));
  const kept = await access.call('s3:GetObjectRetention', (client) => client.send(command).catch(isFree), target.key);
  return kept?.Retention?.RetainUntilDate;
}

function inputFor(access: S3Access, { key, versionId }: Target) {
  return { Bucket: access.place.bucket, Key: access.full(key), VersionId: versionId };
}
