import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, it } from 'vitest';
import type { S3Access } from '../../src/stores/s3-access.ts';
import { planParts, SentParts } from '../../src/stores/s3-parts.ts';
import { uploadObject } from '../../src/stores/s3-upload.ts';
import { parseStoreUrl, type S3Place } from '../../src/stores/store-url.ts';
import { fakeS3, xml } from '../servers/fake-s3.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
let close = async () => {};

afterEach(() => close());

it.each([
  { expected: 0, maxParts: 10_000, partSize: 8 * MIB, buffers: 5 },
  { expected: 70 * GIB, maxParts: 10_000, partSize: 8 * MIB, buffers: 5 },
  { expected: 160 * GIB, maxParts: 10_000, partSize: 17 * MIB, buffers: 3 },
  { expected: 500 * GIB, maxParts: 10_000, partSize: 53 * MIB, buffers: 1 },
  { expected: 10 * GIB, maxParts: 1_000, partSize: 11 * MIB, buffers: 5 },
  { expected: 30 * GIB, maxParts: 1_000, partSize: 32 * MIB, buffers: 2 },
  { expected: 500 * GIB, maxParts: 1_000, partSize: 523 * MIB, buffers: 1 },
])('sends $expected bytes in at most $maxParts parts of $partSize', ({ expected, maxParts, partSize, buffers }) => {
  expect(planParts(expected, maxParts)).toEqual({ partSize, buffers });
  expect(Math.ceil(expected / partSize)).toBeLessThanOrEqual(maxParts);
});

it.each([1, 2, 4, 16])('keeps %i uploads at once within the memory of one', (atOnce) => {
  const { partSize, buffers } = planParts(40 * GIB, 10_000, atOnce);
  expect(atOnce * buffers * partSize).toBeLessThanOrEqual(Math.max(64 * MIB, atOnce * partSize));
  expect(buffers).toBeGreaterThanOrEqual(1);
});

it('expects the ETag that S3 makes of parts, in their order and not in that of their arrival', () => {
  const sent = new SentParts(() => true);
  sent.add(2, Buffer.from('world'));
  sent.add(1, Buffer.from('hello'));
  // printf '%s%s' "$(printf hello|md5sum|cut -c-32)" "$(printf world|md5sum|cut -c-32)" | xxd -r -p | md5sum
  expect(sent.expectedTag()).toBe('065947336a2f2a95ba8899f3675c3be6-2');
  expect(sent.isTag('"065947336a2f2a95ba8899f3675c3be6-2"')).toBe(true);
  expect(sent.isTag(undefined)).toBe(false);
});

it.each([
  { size: 1_000, isCorrect: true },
  { size: 20 * MIB, isCorrect: true },
  { size: 1_000, isCorrect: false },
  { size: 20 * MIB, isCorrect: false },
])('takes the CRC32 of S3 as confirmation where the ETag is no MD5: $size bytes, $isCorrect', async (given) => {
  const server = await fakeS3(({ method, query, headers, body }) => {
    const crc = String(headers['x-amz-checksum-crc32']);
    if (query.has('uploads')) return xml('InitiateMultipartUploadResult', '<UploadId>1</UploadId>');
    if (method === 'PUT')
      return { headers: { etag: '"kms"', 'x-amz-checksum-crc32': given.isCorrect ? crc : 'AAAAAA==' } };
    const sent = [...body.toString().matchAll(/<ChecksumCRC32>(.*?)<\/ChecksumCRC32>/g)].map(([, part]) => part ?? '');
    const parts = given.isCorrect ? sent : sent.toReversed().slice(1);
    return xml(
      'CompleteMultipartUploadResult',
      `<ETag>"kms"</ETag><ChecksumCRC32>${compositeOf(parts)}</ChecksumCRC32>`,
    );
  });
  close = server.close;
  const store = {
    head: async (key: string) => ({ key, bytes: given.size, modifiedAt: new Date(), tag: 'kms' }),
    remove: async () => [],
  };
  const body = Readable.from([Buffer.alloc(given.size, 'x')]);
  const uploaded = await uploadObject(awsLike(server.endpoint), 'db/one', body, {}, store);
  expect(uploaded).toMatchObject({ bytes: given.size, tag: 'kms', isConfirmed: given.isCorrect });
});

/** As S3 combines the checksums of parts: the CRC32 of their bytes, and how many there were. */
function compositeOf(parts: readonly string[]): string {
  return `${crcOf(Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))))}-${parts.length}`;
}

/** Bit by bit, so that it shares no code with what it checks. */
function crcOf(bytes: Buffer): string {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const result = Buffer.alloc(4);
  result.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return result.toString('base64');
}

/** An access that treats the server as AWS, with the checksums of AWS. */
function awsLike(endpoint: string): S3Access {
  const place = parseStoreUrl('s3://bucket/root?sse=aws:kms') as S3Place;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const full = (key: string) => place.root + key;
  return {
    client,
    place,
    now: () => new Date(),
    isCustom: false,
    retries: 0,
    full,
    relative: (name) => name,
    call: (_, send) => send(client),
  };
}
