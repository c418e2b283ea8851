import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import type { S3Access } from './s3-access.ts';

/** What one CopyObject takes. */
const MOST_AT_ONCE = 5 * 1024 ** 3;
const PART_BYTES = 512 * 1024 ** 2;
const MOST_PARTS = 10_000;

/**
 * Moves an object into another class: S3 copies it onto itself, and no byte passes through here. The copy bears the
 * size and, where both are one MD5, the ETag of what it was made from; on a bucket with versions the older version is
 * removed only after that.
 *
 * @param mostAtOnce objects larger than this go in parts; given by tests
 * @throws {Failure} `archived` when it lies in an archive class and must be thawed first; why the store refused
 */
export async function setStorageClass(
  access: S3Access,
  key: string,
  storageClass: string,
  mostAtOnce = MOST_AT_ONCE,
): Promise<void> {
  const before = await headOf(access, key);
  if ((before.StorageClass ?? 'STANDARD') === storageClass) return;
  const bytes = before.ContentLength ?? 0;
  if (bytes <= mostAtOnce) await copyAtOnce(access, key, storageClass, before);
  else await copyInParts(access, key, storageClass, { before, partBytes: partBytesFor(bytes, mostAtOnce) });
  await confirm(access, key, storageClass, before);
  const { VersionId } = before;
  if (VersionId === undefined || VersionId === 'null') return;
  const { bucket: Bucket } = access.place;
  const removal = new DeleteObjectCommand({ Bucket, Key: access.full(key), VersionId });
  await access.call('s3:DeleteObjectVersion', (client) => client.send(removal), key);
}

function partBytesFor(bytes: number, mostAtOnce: number): number {
  return Math.max(Math.min(PART_BYTES, mostAtOnce), Math.ceil(bytes / MOST_PARTS));
}

function headOf(access: S3Access, key: string): Promise<HeadObjectCommandOutput> {
  const command = new HeadObjectCommand({ Bucket: access.place.bucket, Key: access.full(key) });
  return access.call('s3:GetObject', (client) => client.send(command), key);
}

function targetOf(access: S3Access, key: string, storageClass: string) {
  const { place } = access;
  return {
    Bucket: place.bucket,
    Key: access.full(key),
    StorageClass: storageClass as NonNullable<CopyObjectCommandInput['StorageClass']>,
    ...(place.sse && { ServerSideEncryption: place.sse }),
    ...(place.sseKmsKeyId && { SSEKMSKeyId: place.sseKmsKeyId }),
  };
}

/** Of the very version that was looked at. */
function sourceOf(access: S3Access, key: string, { ETag, VersionId }: HeadObjectCommandOutput) {
  const path = [access.place.bucket, ...access.full(key).split('/')].map(encodeURIComponent).join('/');
  const version = VersionId === undefined || VersionId === 'null' ? '' : `?versionId=${encodeURIComponent(VersionId)}`;
  return { CopySource: path + version, ...(ETag !== undefined && { CopySourceIfMatch: ETag }) };
}

async function copyAtOnce(access: S3Access, key: string, storageClass: string, before: HeadObjectCommandOutput) {
  const target = targetOf(access, key, storageClass);
  const command = new CopyObjectCommand({ ...target, ...sourceOf(access, key, before), MetadataDirective: 'COPY' });
  await access.call('s3:PutObject', (client) => client.send(command), key);
}

async function copyInParts(
  access: S3Access,
  key: string,
  storageClass: string,
  { before, partBytes }: { before: HeadObjectCommandOutput; partBytes: number },
): Promise<void> {
  const create = new CreateMultipartUploadCommand(targetOf(access, key, storageClass));
  const { UploadId } = await access.call('s3:PutObject', (client) => client.send(create), key);
  const upload = { Bucket: access.place.bucket, Key: access.full(key), UploadId };
  try {
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    const bytes = before.ContentLength ?? 0;
    for (let start = 0; start < bytes; start += partBytes) {
      const PartNumber = Parts.length + 1;
      const CopySourceRange = `bytes=${start}-${Math.min(start + partBytes, bytes) - 1}`;
      const part = new UploadPartCopyCommand({
        ...upload,
        ...sourceOf(access, key, before),
        PartNumber,
        CopySourceRange,
      });
      const { CopyPartResult } = await access.call('s3:PutObject', (client) => client.send(part), key);
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    await access.call('s3:PutObject', (client) => client.send(complete), key);
  } catch (error) {
    const abort = new AbortMultipartUploadCommand(upload);
    await access.client.send(abort).catch(() => {}); // what stays behind is found by prune
    throw error;
  }
}

const MD5 = /^"?[0-9a-f]{32}"?$/;

async function confirm(access: S3Access, key: string, storageClass: string, before: HeadObjectCommandOutput) {
  const after = await headOf(access, key);
  const where = `${key} in ${access.place.location}`;
  const isKms = [before, after].some(({ ServerSideEncryption }) => ServerSideEncryption === 'aws:kms');
  const tags = isKms ? [] : [before.ETag, after.ETag].filter((tag) => tag !== undefined && MD5.test(tag));
  if (after.ContentLength !== before.ContentLength || new Set(tags).size > 1)
    throw new Failure('artifact-corrupt', `${where} is not what it was before it was moved to ${storageClass}.`, {
      hint: 'On a bucket with versions the older version is still there. Verify this backup (`read-data`), and do not move more.',
    });
  if ((after.StorageClass ?? 'STANDARD') === storageClass) return;
  throw new Failure(
    'store-denied',
    `${where} is still in ${after.StorageClass ?? 'STANDARD'}: the store does not know ${storageClass}.`,
    {
      hint: 'Give in `archive-class` a class that this store has.',
    },
  );
}
