/** A length at which what is left of a stored artifact looks whole to the program that reads it. */
export interface Boundary {
  readonly at: number;
  /** `the end of the first zstd frame`. */
  readonly what: string;
}

const MAGIC = 0xfd2fb528;
const AGE_NONCE_BYTES = 16;
/** 64 KiB and the tag of each. */
const AGE_CHUNK_BYTES = 65_536 + 16;

/**
 * Where a zstd frame ends before the artifact does, or, as pg_dump's are one frame each, the last
 * block that ends in `head`; undefined when this is no zstd.
 *
 * @param head the first bytes of the artifact
 */
export function zstdBoundary(head: Buffer, totalBytes: number): Boundary | undefined {
  const start = endOfFrameHeader(head);
  if (start === undefined) return undefined;
  let block: Boundary = { at: start, what: 'the end of the zstd frame header' };
  for (let at = start, number = 1; at + 3 <= head.length; number++) {
    const header = head.readUIntLE(at, 3);
    const isLast = (header & 1) === 1;
    // Type 1 repeats one byte: its size is not what it takes.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    const frameEnd = at + checksumBytes(head);
    if (isLast && frameEnd < totalBytes) return { at: frameEnd, what: 'the end of the first zstd frame' };
    if (at > head.length || at >= totalBytes) return block;
    block = { at, what: `the end of zstd block ${number}` };
    if (isLast) return block;
  }
  return block;
}

function checksumBytes(head: Buffer): number {
  return ((head[4] ?? 0) & 4) === 0 ? 0 : 4;
}

function endOfFrameHeader(head: Buffer): number | undefined {
  if (head.length < 6 || head.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = head[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return 5 + (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}

/** Where the last whole age chunk in `head` ends, or where the first begins; undefined when this is no age file. */
export function ageBoundary(head: Buffer, totalBytes: number): Boundary | undefined {
  const mac = head.indexOf('\n--- ');
  const lineEnd = mac < 0 ? -1 : head.indexOf('\n', mac + 1);
  if (!head.subarray(0, 4).equals(Buffer.from('age-')) || lineEnd < 0) return undefined;
  const start = lineEnd + 1 + AGE_NONCE_BYTES;
  const chunks = Math.floor((Math.min(head.length, totalBytes - 1) - start) / AGE_CHUNK_BYTES);
  if (chunks >= 1) return { at: start + chunks * AGE_CHUNK_BYTES, what: `the end of age chunk ${chunks}` };
  return start < totalBytes ? { at: start, what: 'the start of the only age chunk' } : undefined;
}
