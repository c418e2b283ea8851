/** A longer line goes through unseen: memory stays flat, and it is never left out. */
const LONGEST = 64 * 1024;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/** Leaves lines out of a stream of bytes, which comes in chunks that end anywhere. */
export class LineCutter {
  readonly #isDropped: (line: Buffer) => boolean;
  /** The beginning of a line that goes on in the next chunk. */
  #held: Buffer = NOTHING;
  #isLong = false;

  /** @param isDropped asked once for every line, in order, without its end */
  constructor(isDropped: (line: Buffer) => boolean) {
    this.#isDropped = isDropped;
  }

  /** What is kept of this chunk, and of the line that the one before ended in. */
  take(chunk: Buffer): Buffer[] {
    const kept: Buffer[] = [];
    let [from, at] = [0, 0];
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
      const isOut = this.#endLine(chunk.subarray(at, end), kept);
      if (isOut && at > from) kept.push(chunk.subarray(from, at));
      at = end + 1;
      if (isOut) from = at;
    }
    const to = this.#holds(chunk.subarray(at), kept) ? at : chunk.length;
    if (to > from) kept.push(chunk.subarray(from, to));
    return kept;
  }

  /** The last line, when it has no end. */
  end(): Buffer[] {
    const last = this.#held;
    this.#held = NOTHING;
    return last.length === 0 || this.#isDropped(last) ? [] : [last];
  }

  /** Whether the line that ends here is left out; what was held of one that stays is kept. */
  #endLine(rest: Buffer, kept: Buffer[]): boolean {
    if (this.#isLong) {
      this.#isLong = false;
      return false;
    }
    const held = this.#held;
    if (held.length === 0) return this.#isDropped(rest);
    this.#held = NOTHING;
    const isOut = this.#isDropped(Buffer.concat([held, rest]));
    if (!isOut) kept.push(held);
    return isOut;
  }

  /** Whether the beginning of a line is held back until its end is known; too much of it is not. */
  #holds(rest: Buffer, kept: Buffer[]): boolean {
    if (!this.#isLong && this.#held.length + rest.length <= LONGEST) {
      this.#held = Buffer.concat([this.#held, rest]);
      return true;
    }
    if (this.#held.length > 0) kept.push(this.#held);
    this.#held = NOTHING;
    this.#isLong = true;
    return false;
  }
}
