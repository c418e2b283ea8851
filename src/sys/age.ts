import { PassThrough, Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Encryption } from '../core/codecs.ts';
import { Failure, messageOf } from '../core/failure.ts';

type Bytes = globalThis.ReadableStream<Uint8Array>;

/** age (age-encryption.org/v1) by the format author's own library; the `age` program reads what it writes. */
export const age: Encryption = {
  encrypt: (recipients, plain) => through(plain, () => encrypter(recipients).encrypt(webOf(plain)), asIs),
  decrypt: (identity, stored) => {
    const checked = withShortHeader(stored);
    return through(checked, () => decrypter(identity).decrypt(webOf(checked)), explainDecryption);
  },
  checkRecipients: (recipients) => void encrypter(recipients),
  checkIdentity: (identity) => void decrypter(identity),
  makeIdentity: () => generateX25519Identity(),
  recipientsOf: async (identity) => {
    decrypter(identity);
    return Promise.all(keysIn(identity).map((key) => identityToRecipient(key)));
  },
};

/** Also a mutilated one: what is quoted ends up in logs, reports and issues. */
const LIKE_SECRET = /AGE-(SECRET|PLUGIN)|SECRET-KEY/i;

function encrypter(recipients: readonly string[]): Encrypter {
  const result = new Encrypter();
  for (const recipient of recipients) {
    try {
      result.addRecipient(recipient);
    } catch (cause) {
      if (LIKE_SECRET.test(recipient)) throw secretKeyGiven();
      throw new Failure('invalid-input', `\`age-recipients\`: "${recipient}" is not a recipient.`, {
        cause,
        hint: 'A recipient is the public half that age-keygen prints: `age1…`, one a line.',
      });
    }
  }
  return result;
}

/** Without the library's own error, which may quote the key. */
function secretKeyGiven(): Failure {
  return new Failure('invalid-input', '`age-recipients` holds a secret key (hidden).', {
    hint: 'Give the public half, `age1…`. If it stood in a workflow file, make a new pair.',
  });
}

/** `identity` is the text of an identity file: comments, and one `AGE-SECRET-KEY-1…` a line. */
function decrypter(identity: string): Decrypter {
  const result = new Decrypter();
  const keys = keysIn(identity);
  try {
    if (keys.length === 0) throw new Error('it holds no key');
    for (const key of keys) result.addIdentity(key);
  } catch (cause) {
    throw new Failure('invalid-input', '`age-identity` (value hidden) is not an age identity.', {
      cause,
      hint: 'Give the text that age-keygen wrote: a line that begins with `AGE-SECRET-KEY-1`.',
    });
  }
  return result;
}

function keysIn(identity: string): string[] {
  const lines = identity.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** Room for ten thousand recipients. */
const LONGEST_HEADER = 1 << 20;
const END_OF_HEADER = '\n--- ';

/** The library keeps a header of any length in memory, and tries the key on each recipient in it. */
function withShortHeader(stored: Readable): Readable {
  const checked = Readable.from(checkHeader(stored), { objectMode: false, highWaterMark: 1 << 18 });
  return checked.once('close', () => stored.destroy());
}

async function* checkHeader(stored: Readable): AsyncGenerator<Buffer> {
  let header = '';
  let isOpen = true;
  for await (const chunk of stored as AsyncIterable<Buffer>) {
    if (isOpen) {
      header += chunk.toString('latin1');
      const end = header.indexOf(END_OF_HEADER);
      isOpen = end < 0;
      if (isOpen ? header.length > LONGEST_HEADER : end > LONGEST_HEADER) throw longHeader();
    }
    yield chunk;
  }
}

function longHeader(): Failure {
  return new Failure('artifact-corrupt', 'The header of an encrypted artifact does not end within 1 MiB.', {
    hint: 'Restore from another backup, or from the copy in another store. Look for the cause in the store.',
  });
}

function webOf(stream: Readable): Bytes {
  return Readable.toWeb(stream) as Bytes;
}

function through(from: Readable, open: () => Promise<Bytes>, explain: (error: unknown) => unknown): Readable {
  const output = new PassThrough({ highWaterMark: 1 << 18 });
  const fail = (error: unknown) => output.destroy(explain(error) as Error);
  output.once('close', () => from.destroy());
  // Not `pipeline`: it would destroy the output with the library's own error before we can explain it.
  open().then((opened) => {
    const source = Readable.fromWeb(opened as unknown as WebStream).once('error', fail);
    output.once('close', () => source.destroy());
    source.pipe(output);
  }, fail);
  return output;
}

function asIs(error: unknown): unknown {
  return error;
}

/** Tells a wrong key (disproves nothing) from damage; the stored stream's own failure stays what it is. */
function explainDecryption(cause: unknown): unknown {
  if (cause instanceof Failure) return cause;
  const message = messageOf(cause);
  if (message.includes('no identity matched')) {
    return new Failure('decryption-failed', 'The age identity given opens none of the recipients of this artifact.', {
      cause,
      hint: 'Give in `age-identity` the secret key of one of the recipients that the manifest lists.',
    });
  }
  return new Failure('artifact-corrupt', `An encrypted artifact could not be decrypted: ${message}.`, { cause });
}
