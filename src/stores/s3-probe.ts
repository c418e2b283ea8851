import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { ConditionalWrite, LockTraits, StoreTraits } from '../core/ports.ts';
import type { S3Access } from './s3-access.ts';
import { nameOf, statusOf, undefinedWhere } from './s3-errors.ts';

const BODY = 'A second write: whoever honours the condition refuses it.';
const ContentMD5 = createHash('md5').update(BODY).digest('base64');

/** Writes once more under a key that is taken, on the condition that it is free: whole, and in parts as artifacts are. */
export async function tryTraits(access: S3Access, key: string): Promise<StoreTraits> {
  const { whole, clockOffsetSeconds } = await writeWhole(access, key);
  const inParts = await writeInParts(access, key);
  return { conditionalWrites: { whole, inParts }, clockOffsetSeconds, fileSystem: undefined };
}

async function writeWhole(access: S3Access, key: string) {
  const command = new PutObjectCommand({ ...targetOf(access, key), Body: BODY, ContentMD5, IfNoneMatch: '*' });
  let clockOffsetSeconds: number | undefined;
  // Next to the connection, so that an answer that is an error is seen, too.
  command.middlewareStack.add(
    (next) => async (args) => {
      const asked = access.now().getTime();
      const result = await next(args);
      const date = Date.parse(headerOf(result.response, 'date'));
      const middle = (asked + access.now().getTime()) / 2;
      if (!Number.isNaN(date)) clockOffsetSeconds = Math.round((date - middle) / 1_000);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'readDate' },
  );
  const whole = await access.call('s3:PutObject', (client) => client.send(command).then(ignored, refusalOf), key);
  return { whole, clockOffsetSeconds };
}

async function writeInParts(access: S3Access, key: string): Promise<ConditionalWrite> {
  const place = { Bucket: access.place.bucket, Key: access.full(key) };
  const { UploadId } = await access.call(
    's3:PutObject',
    (client) => client.send(new CreateMultipartUploadCommand(targetOf(access, key))),
    key,
  );
  const complete = async (client: S3Client) => {
    const part = { ...place, UploadId, PartNumber: 1, Body: BODY, ContentMD5 };
    const { ETag } = await client.send(new UploadPartCommand(part));
    const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
    const command = new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload, IfNoneMatch: '*' });
    return client.send(command).then(ignored, refusalOf);
  };
  let answer: ConditionalWrite | undefined;
  try {
    answer = await access.call('s3:PutObject', complete, key);
    return answer;
  } finally {
    // Nothing is left where it was completed, and then this is an error that says so.
    const abort = new AbortMultipartUploadCommand({ ...place, UploadId });
    if (answer !== 'ignored') await access.client.send(abort).catch(() => {});
  }
}

function targetOf({ place }: S3Access, key: string) {
  const { sse: ServerSideEncryption, sseKmsKeyId: SSEKMSKeyId } = place;
  return { Bucket: place.bucket, Key: place.root + key, ServerSideEncryption, SSEKMSKeyId };
}

function ignored(): ConditionalWrite {
  return 'ignored';
}

function refusalOf(error: unknown): ConditionalWrite {
  const status = statusOf(error);
  if (status === 412 || status === 409) return 'honoured';
  if (status === 501 || status === 400) return 'not-supported';
  throw error;
}

function headerOf(response: unknown, name: string): string {
  const { headers = {} } = response as { headers?: Record<string, string> };
  return headers[name] ?? '';
}

/** What the bucket says of object lock. */
export async function readLockTraits(access: S3Access): Promise<LockTraits> {
  const command = new GetObjectLockConfigurationCommand({ Bucket: access.place.bucket });
  const isWithout = undefinedWhere(
    (error) => statusOf(error) === 501 || statusOf(error) === 405 || /ObjectLockConfiguration/.test(nameOf(error)),
  );
  const answer = await access.call('s3:GetBucketObjectLockConfiguration', (client) =>
    client.send(command).catch(isWithout),
  );
  const { ObjectLockEnabled: isEnabled, Rule: rule } = answer?.ObjectLockConfiguration ?? {};
  const { Mode: mode, Days: days, Years: years } = rule?.DefaultRetention ?? {};
  const length = years === undefined ? `${days} days` : `${years} years`;
  return { isPossible: isEnabled === 'Enabled', byDefault: mode === undefined ? undefined : `${mode} for ${length}` };
}
