import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { PutObjectCommand, type PutObjectCommandInput, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Failure } from '../core/failure.ts';
import type { PutOptions, Store, StoredCopy } from '../core/ports.ts';
import { cancelled, guardBody } from './body.ts';
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

/** One upload under way: what was read, what was sent, and what went wrong first. */
class Transfer {
  readonly #access: S3Access;
  readonly #key: string;
  readonly #body: Readable;
  readonly #options: UploadOptions;
  readonly #store: Lookup;
  readonly #sha256 = createHash('sha256');
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
    const { partSize, queueSize } = planParts(expectedBytes ?? 0, this.#access.place.maxParts, atOnce);
    const body = Readable.from(this.#read(), { objectMode: false });
    const params = { ...this.#parameters(), Body: body };
    const upload = new Upload({ client: this.#client(), params, partSize, queueSize });
    const answer: StoreAnswer = await upload.done().catch((error: unknown) => this.#afterError(error));
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
      }
      if (this.#options.signal?.aborted === true) throw cancelled(this.#options.signal);
      this.#isRead = true;
    } catch (error) {
      this.#failure ??= { by: 'body', error };
      throw error;
    }
  }

  /** The client as lib-storage sees it: one that hashes each part it sends and that the signal ends. */
  #client(): S3Client {
    const send = async (command: Parameters<S3Client['send']>[0]) => {
      if (command instanceof UploadPartCommand) return this.#sendPart(command);
      if (command instanceof PutObjectCommand) return this.#sendWhole(command);
      // Not under the signal: an upload that was created without our learning its id could not be aborted.
      const options: CallOptions = { onLife: this.#onLife };
      return this.#access.client.send(command, options);
    };
    return Object.create(this.#access.client, { send: { value: send } }) as S3Client;
  }

  async #sendPart({ input }: UploadPartCommand) {
    const number = input.PartNumber ?? 0;
    this.#isMultipart = true;
    if (number > this.#access.place.maxParts) this.#fail(this.#tooManyParts());
    const bytes = input.Body as Buffer;
    const command = new UploadPartCommand({ ...input, ...this.#checksum(number, bytes) });
    return this.#watched(bytes, (sending) => this.#access.client.send(command, sending));
  }

  async #sendWhole({ input }: PutObjectCommand) {
    const bytes = input.Body as Buffer;
    const command = new PutObjectCommand({ ...input, ...this.#checksum(1, bytes) });
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
