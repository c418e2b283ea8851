/** One part of an object; `bytes` are valid until they are given back. */
export interface Part {
  /** From 1 on. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/**
 * Room for parts, and no more of it: each buffer is filled again as soon as its part was sent. Chunks are copied into
 * their part as they come, since chunks that wait to be joined take twice the memory, and the collector's time.
 */
export class PartBuffers {
  readonly #partSize: number;
  #unmade: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];

  constructor(partSize: number, count: number) {
    this.#partSize = partSize;
    this.#unmade = count;
  }

  /** Waits until there is room. */
  async take(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#unmade === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#unmade -= 1;
    // Not zeroed: what is never filled then takes no memory.
    return Buffer.allocUnsafeSlow(this.#partSize);
  }

  /** @param bytes of a part, or all of a buffer */
  give({ buffer }: Buffer): void {
    const whole = Buffer.from(buffer as ArrayBuffer);
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(whole);
    else next(whole);
  }
}

/** Equal parts but for the last, of which there is always one; the caller gives the bytes of each back. */
export async function* readParts(body: AsyncIterable<Buffer>, room: PartBuffers): AsyncGenerator<Part> {
  let buffer = await room.take();
  let [number, filled] = [1, 0];
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === buffer.length) {
        yield { number, bytes: buffer, isLast: false };
        buffer = await room.take();
        [number, filled] = [number + 1, 0];
      }
      const copied = chunk.copy(buffer, filled, at);
      at += copied;
      filled += copied;
    }
  }
  yield { number, bytes: buffer.subarray(0, filled), isLast: true };
}

/**
 * Gives the memory of a chunk back at once. Chunks of a pipe lie outside of the heap, where the collector lets tens of
 * megabytes of them gather, and then looks through the whole heap for them: a fifth of what an upload costs.
 */
export function empty({ buffer, length }: Buffer): void {
  // One that shares its memory with others is small, or part of something.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length && !buffer.detached) buffer.transfer(0);
}
