import type { Readable } from 'node:stream';

/** Decryption and encryption with age, behind a port so that actions import no package. */
export interface Encryption {
  /** Throws `invalid-input` when a recipient is not one. */
  encrypt(recipients: readonly string[], plain: Readable): Readable;
  /** The stream errors with `decryption-failed` on a wrong identity, truncation or damage. */
  decrypt(identity: string, stored: Readable): Readable;
  /** Throw `invalid-input` when one cannot be used, before anything is touched. */
  checkRecipients(recipients: readonly string[]): void;
  checkIdentity(identity: string): void;
  /** A new secret key, as age-keygen writes it. */
  makeIdentity(): Promise<string>;
  /** The public halves of the keys in an identity; throws `invalid-input`. */
  recipientsOf(identity: string): Promise<string[]>;
}

export interface Compression {
  decompress(compressed: Readable): Readable;
  compress(plain: Readable, level: number): Readable;
}
