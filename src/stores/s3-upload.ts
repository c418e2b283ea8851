import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Failure } from '../core/failure.ts';
import type { PutOptions, Store, StoredCopy } from '../core/ports.ts';
import { cancelled, guardBody } from './body.ts';
import { empty, type Part, PartBuffers, readParts } from './part-buffers.ts';
import type { S3Access } from './s3-access.ts';
import { s3Failure } from './s3-errors.ts';
import type { CallOptions } from './s3-life.ts';
import { planParts, SentParts, type StoreAnswer } from './s3-parts.ts';
import { isRewritten } from './write-once.ts';

export interface Uploaded extends StoredCopy {
  /** Whether the store repeated a checksum of what was sent; else only reading back can tell. */
  readonly isConfirmed: boolean;
}

export interface UploadOptions extends PutOptions {
  /** Object lock: the day until which nobody may remove it. */
  readonly lockedUntil?: Date | undefined;
}

type Lookup = Pick<Store, 'head' | 'remove'>;

/**
 * Uploads all of `body`. Memory stays at the size of the parts under way. When it rejects, the
 * upload was aborted and nothing is visible.
 *
 * @param store the store itself: looks up what arrived, removes what should not have
 * @throws what `body` errored with, the reason of the signal, or the failure of the store
 */
export async function uploadObject(
  access: S3Access,
  key: string,
  body: Readable,
  options: UploadOptions,
  store: Lookup,
): Promise<Uploaded> {
  const transfer = new Transfer(access, key, body, options, store);
  const stop = guardBody(body, options.signal);
  try {
    return await transfer.run();
  } finally {
    stop();
    body.destroy();
  }
}

interface OpenedUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

/** One upload under way: what was read, what was sent, and what went wrong first. */
class Transfer {
  readonly #access: S3Access;
  readonly #key: string;
  readonly #body: Readable;
  readonly #options: UploadOptions;
  readonly #store: Lookup;
  readonly #sha256 = createHash('sha256');
  readonly #parts: CompletedPart[] = [];
  readonly #sent = new SentParts(() => this.#isMultipart);
  #bytes = 0;
  /** Signs of life, so that nobody takes a slow line for a stall. */
  readonly #onLife = () => this.#options.onBytes?.(0);
  #isRead = false;
  #isMultipart = false;
  #failure: { by: 'body' | 'store'; error: unknown } | undefined;

  constructor(access: S3Access, key: string, body: Readable, options: UploadOptions, store: Lookup) {
    this.#access = access;
    this.#key = key;
    this.#body = body;
    this.#options = options;
    this.#store = store;
  }

  async run(): Promise<Uploaded> {
    const { expectedBytes, atOnce } = this.#options;
    const { partSize, buffers } = planParts(expectedBytes ?? 0, this.#access.place.maxParts, atOnce);
    const room = new PartBuffers(partSize, buffers);
    const answer = await this.#send(room).catch((error: unknown) => this.#afterError(error));
    const copy = { bytes: this.#bytes, sha256: this.#sha256.digest('hex') };
    if (this.#sent.isTag(answer.ETag)) return { ...copy, tag: this.#sent.expectedTag(), isConfirmed: true };
    // Some stores answer without an ETag, or with one that is no MD5.
    const tag = await this.#lookUp();
    return { ...copy, tag, isConfirmed: this.#sent.isTag(tag) || this.#sent.isConfirmedBy(answer) };
  }

  async *#read(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#body) {
        const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
        this.#sha256.update(bytes);
        this.#bytes += bytes.length;
        yield bytes;
        if (this.#options.ownsChunks === true) empty(bytes);
      }
      if (this.#options.signal?.aborted === true) throw cancelled(this.#options.signal);
      this.#isRead = true;
    } catch (error) {
      this.#failure ??= { by: 'body', error };
      throw error;
    }
  }

  /** What fits into one part goes as a whole. */
  async #send(room: PartBuffers): Promise<StoreAnswer> {
    const parts = readParts(this.#read(), room);
    const first = await parts.next();
    if (first.done === true) throw new Error('There is always a first part.');
    if (first.value.isLast) return this.#sendWhole(first.value.bytes);
    const upload = await this.#create();
    try {
      await this.#sendParts(upload, first.value, parts, room);
      return await this.#complete(upload);
    } catch (error) {
      await this.#access.client.send(new AbortMultipartUploadCommand(upload), this.#life()).catch((cause: unknown) => {
        if (error instanceof Error) error.cause ??= cause;
      });
      throw error;
    }
  }

  /** As many at a time as there is room for. Settles when none is under way any more. */
  async #sendParts(upload: OpenedUpload, first: Part, others: AsyncIterable<Part>, room: PartBuffers): Promise<void> {
    const underWay = new Set<Promise<void>>();
    const begin = ({ number, bytes }: Part) => {
      const sending = this.#sendPart(upload, number, bytes).catch(() => {}); // it has told `#fail`
      const over = sending.then(() => {
        underWay.delete(over);
        room.give(bytes);
      });
      underWay.add(over);
    };
    try {
      begin(first);
      for await (const part of others) {
        if (this.#failure !== undefined) break;
        begin(part);
      }
    } finally {
      await Promise.all(underWay);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Not under the signal: an upload that was created without our learning its id could not be aborted. */
  async #create(): Promise<OpenedUpload> {
    const { client, isCustom } = this.#access;
    const checksum = isCustom ? {} : ({ ChecksumAlgorithm: 'CRC32' } as const);
    const command = new CreateMultipartUploadCommand({ ...this.#parameters(), ...checksum });
    const { UploadId } = await client.send(command, this.#life());
    const { Bucket, Key } = this.#parameters();
    return { Bucket, Key, UploadId };
  }

  #complete(upload: OpenedUpload): Promise<StoreAnswer> {
    const Parts = this.#parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    return this.#access.client.send(command, this.#life());
  }

  #life(): CallOptions {
    return { onLife: this.#onLife };
  }

  async #sendPart(upload: OpenedUpload, number: number, bytes: Buffer): Promise<void> {
    this.#isMultipart = true;
    if (number > this.#access.place.maxParts) this.#fail(this.#tooManyParts());
    const part = { ...upload, PartNumber: number };
    const command = new UploadPartCommand({ ...part, Body: bytes, ...this.#checksum(number, bytes) });
    const { ETag, ChecksumCRC32 } = await this.#watched(bytes, (sending) => this.#access.client.send(command, sending));
    if (ETag === undefined) this.#fail(new Error(`The answer to part ${number} has no ETag.`));
    this.#parts.push({ PartNumber: number, ETag, ...(ChecksumCRC32 && { ChecksumCRC32 }) });
  }

  async #sendWhole(bytes: Buffer): Promise<StoreAnswer> {
    const command = new PutObjectCommand({ ...this.#parameters(), Body: bytes, ...this.#checksum(1, bytes) });
    return this.#watched(bytes, (sending) => this.#access.client.send(command, sending));
  }

  /** Object lock wants a checksum on every part, and Content-MD5 is the one that every store knows. */
  #checksum(part: number, bytes: Buffer): { ContentMD5?: string } {
    const md5 = this.#sent.add(part, bytes);
    return this.#access.isCustom ? { ContentMD5: md5 } : {};
  }

  async #watched<T>(bytes: Buffer, send: (options: CallOptions) => Promise<T>): Promise<T> {
    const { signal, onBytes } = this.#options;
    try {
      const answer = await send({ onLife: this.#onLife, ...(signal && { abortSignal: signal }) });
      onBytes?.(bytes.length);
      return answer;
    } catch (error) {
      return this.#fail(signal?.aborted === true ? cancelled(signal) : error);
    }
  }

  /** Also ends the body: the other parts would wait for a producer that has no reader left. */
  #fail(error: unknown): never {
    this.#failure ??= { by: 'store', error };
    this.#body.destroy();
    throw error;
  }

  /** An upload whose last answer was lost may be complete all the same; looking decides. */
  async #afterError(error: unknown): Promise<StoreAnswer> {
    if (this.#failure?.by === 'body') throw this.#failure.error;
    const call = { permission: 's3:PutObject', location: this.#access.place.location, key: this.#key };
    const failure = s3Failure(this.#failure?.error ?? error, call);
    const state = this.#isRead ? await this.#store.head(this.#key).catch(() => undefined) : undefined;
    const isWhole = this.#sent.isTag(state?.tag);
    if (isWhole && this.#options.signal?.aborted !== true) return { ETag: state?.tag };
    // Nothing was here before, so what is here now is ours and nobody wants it. Should it stay, no manifest names it.
    const isOurs = isWhole || (state !== undefined && !isRewritten(this.#key));
    if (isOurs) await this.#store.remove([this.#key]).catch(() => {});
    throw failure;
  }

  async #lookUp(): Promise<string> {
    const state = await this.#store.head(this.#key);
    if (state?.bytes === this.#bytes) return state.tag;
    await this.#store.remove([this.#key]);
    const found = `${state === undefined ? 'nothing' : `${state.bytes} bytes`} under ${this.#key}`;
    const { location } = this.#access.place;
    throw new Failure('artifact-corrupt', `${location} has ${found} after ${this.#bytes} bytes were sent.`, {
      hint: 'Do not keep backups in this store before its maker has explained that.',
    });
  }

  #tooManyParts(): Failure {
    const { maxParts } = this.#access.place;
    return new Failure('store-unavailable', `${this.#key} needs more than ${maxParts} parts.`, {
      hint: 'It grew far beyond the estimate its part size was chosen by. Raise `max-parts` in the store URL if the store allows more.',
    });
  }

  #parameters(): PutObjectCommandInput & { Bucket: string; Key: string } {
    const { bucket, storageClass, sse, sseKmsKeyId, objectLock } = this.#access.place;
    const { lockedUntil } = this.#options;
    return {
      Bucket: bucket,
      Key: this.#access.full(this.#key),
      ...(storageClass && { StorageClass: storageClass as NonNullable<PutObjectCommandInput['StorageClass']> }),
      ...(sse && { ServerSideEncryption: sse }),
      ...(sseKmsKeyId && { SSEKMSKeyId: sseKmsKeyId }),
      ...(lockedUntil && { ObjectLockMode: objectLock?.mode, ObjectLockRetainUntilDate: lockedUntil }),
    };
  }
}
