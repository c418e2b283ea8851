import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const MIB = 1024 * 1024;
const PART_BYTES = 8 * MIB;
const ROOM_BYTES = 64 * MIB;
/** Four parts under way and one that is being filled. */
const MOST_BUFFERS = 5;
/** The smallest part that S3 takes, and all of several uploads together: each has buffers besides its parts. */
const SHARED_PART_BYTES = 5 * MIB;
const SHARED_BYTES = 40 * MIB;

/**
 * Equal parts, large enough that an upload of `expectedBytes` needs no more than `maxParts`, and as many buffers for
 * them as memory bears (64 MiB; one buffer in any case): one is filled while the others are sent.
 *
 * @param atOnce uploads that share this memory
 */
export function planParts(expectedBytes: number, maxParts: number, atOnce = 1): { partSize: number; buffers: number } {
  // Compression makes random data a little larger than it was, so the bound gets some room.
  const needed = Math.ceil((expectedBytes * 1.02) / maxParts / MIB) * MIB;
  const isShared = atOnce > 1;
  const partSize = Math.max(isShared ? SHARED_PART_BYTES : PART_BYTES, needed);
  const room = isShared ? SHARED_BYTES / atOnce : ROOM_BYTES;
  return { partSize, buffers: Math.max(1, Math.min(MOST_BUFFERS, Math.floor(room / partSize))) };
}

/** What a store says of an object it took; each field may be missing. */
export interface StoreAnswer {
  readonly ETag?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
}

/** The checksums of what was sent, in the two forms in which a store can repeat them. */
export class SentParts {
  readonly #parts = new Map<number, { md5: Buffer; crc: Buffer }>();
  readonly #isMultipart: () => boolean;

  /** @param isMultipart whether parts were sent as parts: one part alone is written differently then */
  constructor(isMultipart: () => boolean) {
    this.#isMultipart = isMultipart;
  }

  /** @returns the MD5 of these bytes, base64 */
  add(part: number, bytes: Buffer): string {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(bytes));
    const md5 = createHash('md5').update(bytes).digest();
    this.#parts.set(part, { md5, crc });
    return md5.toString('base64');
  }

  /** The ETag of a store that makes it from MD5s: of the object, or of its parts' MD5s. */
  expectedTag(): string {
    const md5s = this.#inOrder().map(({ md5 }) => md5);
    if (!this.#isMultipart()) return md5s[0]?.toString('hex') ?? 'nothing was sent';
    return `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-${md5s.length}`;
  }

  isTag(tag: string | undefined): boolean {
    return tag !== undefined && tag.replaceAll('"', '') === this.expectedTag();
  }

  /** Whether the answer repeats a checksum of ours. With SSE-KMS the ETag is none, but S3 keeps the CRC32. */
  isConfirmedBy(answer: StoreAnswer): boolean {
    return this.isTag(answer.ETag) || (answer.ChecksumCRC32 ?? '') === this.#expectedCrc();
  }

  #expectedCrc(): string {
    const crcs = this.#inOrder().map(({ crc }) => crc);
    if (!this.#isMultipart()) return crcs[0]?.toString('base64') ?? 'nothing was sent';
    const composite = Buffer.alloc(4);
    composite.writeUInt32BE(crc32(Buffer.concat(crcs)));
    return `${composite.toString('base64')}-${crcs.length}`;
  }

  #inOrder(): { md5: Buffer; crc: Buffer }[] {
    return [...this.#parts].sort(([a], [b]) => a - b).map(([, part]) => part);
  }
}
