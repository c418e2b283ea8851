import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import { guardBody } from './body.ts';
import type { S3Access } from './s3-access.ts';

// Measured: 8 MiB are no faster against a near store, and cost 30 MB more.
const RANGE_BYTES = 4 * 1024 * 1024;
const WINDOW = 4;
/** Of all streams of a store together, when there are several: they must not take several times the memory. */
const SHARED_RANGE_BYTES = RANGE_BYTES / 2;
const MOST_RANGES = 8;
const ATTEMPTS = 4;
const BACKOFF_MS = 200;

export interface Span {
  readonly key: string;
  readonly etag: string;
  /** Of a version that need not be the current one. */
  readonly versionId?: string;
  /** First byte. */
  readonly start: number;
  /** Byte after the last one. */
  readonly end: number;
}

/**
 * Reads a span of an object in ranges, four at a time and in order: one request alone is bound by
 * latency. Memory stays at the window (16 MiB, also of several streams together) and the ranges being
 * handed on. The stream errors when the object changes meanwhile, or a range stays short after its retries.
 */
export function openRanges(access: S3Access, span: Span, signal: AbortSignal | undefined): Readable {
  const ending = new AbortController();
  const stream = Readable.from(readRanges(access, span, ending.signal), { objectMode: false });
  const stop = guardBody(stream, signal);
  stream.once('close', () => {
    stop();
    ending.abort();
  });
  return stream;
}

const streamsOf = new WeakMap<S3Access, number>();

async function* readRanges(access: S3Access, span: Span, signal: AbortSignal): AsyncGenerator<Buffer> {
  countStream(access, 1);
  try {
    yield* inOrder(access, span, signal);
  } finally {
    countStream(access, -1);
  }
}

function countStream(access: S3Access, change: number): void {
  streamsOf.set(access, (streamsOf.get(access) ?? 0) + change);
}

function windowOf(access: S3Access): { ranges: number; rangeBytes: number } {
  const streams = streamsOf.get(access) ?? 1;
  if (streams === 1) return { ranges: WINDOW, rangeBytes: RANGE_BYTES };
  return { ranges: Math.max(1, Math.min(WINDOW, Math.floor(MOST_RANGES / streams))), rangeBytes: SHARED_RANGE_BYTES };
}

async function* inOrder(access: S3Access, span: Span, signal: AbortSignal): AsyncGenerator<Buffer> {
  const underWay: Promise<Buffer[]>[] = [];
  let start = span.start;
  while (start < span.end || underWay.length > 0) {
    const { ranges, rangeBytes } = windowOf(access);
    while (start < span.end && underWay.length < ranges) {
      const end = Math.min(start + rangeBytes, span.end);
      const range = readRange(access, { ...span, start, end }, signal);
      range.catch(() => {}); // awaited in its turn; until then it must not count as unhandled
      underWay.push(range);
      start = end;
    }
    const first = underWay.shift();
    // Not `yield*`: an array's iterator has no `throw`, with which a destroyed stream ends its generator.
    for (const chunk of (await first) ?? []) yield chunk;
  }
}

/** One range, from its beginning again when the connection broke off in the middle. */
async function readRange(access: S3Access, span: Span, signal: AbortSignal): Promise<Buffer[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await access.call('s3:GetObject', () => fetchRange(access, span, signal), span.key);
    } catch (error) {
      if (attempt === ATTEMPTS || signal.aborted || !isPassing(error)) throw error;
      access.retries += 1;
      await sleep(BACKOFF_MS * 2 ** attempt, undefined, { signal });
    }
  }
}

async function fetchRange(access: S3Access, span: Span, signal: AbortSignal): Promise<Buffer[]> {
  const command = new GetObjectCommand({
    Bucket: access.place.bucket,
    Key: access.full(span.key),
    ...(span.versionId !== undefined && { VersionId: span.versionId }),
    Range: `bytes=${span.start}-${span.end - 1}`,
    IfMatch: `"${span.etag}"`,
  });
  const { Body } = await access.client.send(command, { abortSignal: signal });
  // Chunks as they came: joining them would double what the garbage collector has to keep up with.
  const chunks: Buffer[] = [];
  const wanted = span.end - span.start;
  const body = Body as Readable;
  const stop = guardBody(body, signal);
  let filled = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      filled += chunk.length;
      if (filled > wanted) throw wrongLength(span, 'more');
      chunks.push(chunk);
    }
  } finally {
    stop();
  }
  if (filled === wanted) return chunks;
  throw wrongLength(span, `only ${filled}`);
}

function wrongLength(span: Span, got: string): Failure {
  const message = `${span.key}: ${got} bytes came for a range of ${span.end - span.start} from ${span.start}.`;
  return new Failure('store-unavailable', message, {
    hint: 'The connection broke off again and again, or something between here and the store changes what passes.',
  });
}

/** Whether trying again can help: a broken connection, a short body, a store that is busy. */
function isPassing(error: unknown): boolean {
  return error instanceof Failure && error.code === 'store-unavailable';
}
