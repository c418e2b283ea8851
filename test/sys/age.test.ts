import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { age } from '../../src/sys/age.ts';

const CHUNK = 65_536;
let identity = '';
let recipient = '';

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

function catchFailure(run: () => void): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const from = (bytes: Buffer) => Readable.from([bytes]);
const encrypted = (bytes: Buffer) => buffer(age.encrypt([recipient], from(bytes)));

function keyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-age-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'key'), `# created by hand\n${identity}\n`);
  return join(folder, 'key');
}

describe('age', () => {
  it('writes what the age program reads', async () => {
    const stored = await encrypted(Buffer.alloc(3 * CHUNK + 7, 'x'));
    const plain = execFileSync('age', ['-d', '-i', keyFile()], { input: stored, maxBuffer: 1 << 24 });
    expect(plain).toEqual(Buffer.alloc(3 * CHUNK + 7, 'x'));
  });

  it('reads what the age program wrote', async () => {
    const stored = execFileSync('age', ['-r', recipient], { input: 'from the program' });
    expect((await buffer(age.decrypt(`# comment\n${identity}\n`, from(stored)))).toString()).toBe('from the program');
  });

  it.each([0, 1, CHUNK, CHUNK + 1])('gives back %i bytes as they were', async (length) => {
    const plain = Buffer.alloc(length, 7);
    expect(await buffer(age.decrypt(identity, from(await encrypted(plain))))).toEqual(plain);
  });

  it('tells a wrong key from damage', async () => {
    const other = await generateX25519Identity();
    const stored = await encrypted(Buffer.from('secret'));
    await expect(buffer(age.decrypt(other, from(stored)))).rejects.toMatchObject({ code: 'decryption-failed' });
  });

  it.each([
    ['cut at the end', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['cut at a chunk boundary', (bytes: Buffer) => bytes.subarray(0, bytes.length - 16 - 5)],
    [
      'with one bit flipped',
      (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, -9), Buffer.from([(bytes.at(-9) ?? 0) ^ 1]), bytes.subarray(-8)]),
    ],
  ])('refuses an artifact %s', async (_, damage) => {
    const stored = await encrypted(Buffer.alloc(CHUNK + 5, 'x'));
    await expect(buffer(age.decrypt(identity, from(damage(stored))))).rejects.toMatchObject({
      code: 'artifact-corrupt',
    });
  });

  it('names a recipient that is none, and never an identity', () => {
    expect(() => age.checkRecipients(['age1nonsense'])).toThrow('"age1nonsense" is not a recipient');
    expect(() => age.checkIdentity('AGE-SECRET-KEY-1NONSENSE')).toThrow('(value hidden)');
  });

  it.each([
    ['whole', (key: string) => key],
    ['in lower case', (key: string) => key.toLowerCase()],
    ['cut short', (key: string) => key.slice(0, -9)],
    ['in quotes', (key: string) => `"${key}"`],
  ])('refuses a secret key among the recipients without quoting it: %s', (_, spoil) => {
    const given = spoil(identity);
    const refused = catchFailure(() => age.checkRecipients([recipient, given]));
    expect(refused.message).toBe('`age-recipients` holds a secret key (hidden).');
    expect(refused.hint).toContain('Give the public half, `age1…`.');
    expect(inspect(refused, { depth: 5 })).not.toContain(given.slice(16, 40));
  });

  it('makes pairs, and reads both halves from the text of a file', async () => {
    const made = await age.makeIdentity();
    expect(made).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]+$/);
    expect(await age.recipientsOf(`# created: today\n${made}\n${identity}\n`)).toEqual([
      await identityToRecipient(made),
      recipient,
    ]);
    await expect(age.recipientsOf('nothing of a key')).rejects.toThrow('(value hidden)');
  });

  it('passes on what the stream itself broke off with', async () => {
    const broken = Readable.from(
      (async function* () {
        yield (await encrypted(Buffer.alloc(2 * CHUNK))).subarray(0, CHUNK);
        throw new Error('connection reset');
      })(),
    );
    await expect(buffer(age.decrypt(identity, broken))).rejects.toThrow('connection reset');
  });
});
