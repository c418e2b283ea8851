import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, it } from 'vitest';
import { ageBoundary, zstdBoundary } from '../../src/core/self-test-boundaries.ts';
import { age } from '../../src/sys/age.ts';
import { zstd } from '../../src/sys/zstd.ts';

const frame = (bytes: Buffer) => buffer(zstd(process.env).compress(Readable.from([bytes]), 3));
const decompress = (bytes: Buffer) => buffer(zstd(process.env).decompress(Readable.from([bytes])));

async function encrypted(plain: Buffer): Promise<Buffer> {
  const recipient = await identityToRecipient(await generateIdentity());
  return buffer(age.encrypt([recipient], Readable.from([plain])));
}

it('finds where a zstd frame ends before the artifact does: zstd itself reads what is left without complaint', async () => {
  const [first, second] = [await frame(randomBytes(300_000)), await frame(Buffer.from('more'))];
  const whole = Buffer.concat([first, second]);
  const boundary = zstdBoundary(whole, whole.length);
  expect(boundary).toEqual({ at: first.length, what: 'the end of the first zstd frame' });
  expect(await decompress(whole.subarray(0, boundary?.at))).toHaveLength(300_000);
});

it.each([
  { what: 'what does not compress', plain: randomBytes(1_000_000), says: /^the end of zstd block [67]$/ },
  { what: 'zeros', plain: Buffer.alloc(1_000_000), says: /^the end of zstd block \d$/ },
  { what: 'a small text', plain: Buffer.from('small'), says: /^the end of zstd block 1$/ },
])('finds the last block that ends in the first part of one frame of $what', async ({ plain, says }) => {
  const stored = await frame(plain);
  const head = stored.subarray(0, Math.min(stored.length, 900_000));
  const boundary = zstdBoundary(head, stored.length);
  expect(boundary?.what).toMatch(says);
  expect(boundary?.at).toBeGreaterThan(5);
  expect(boundary?.at).toBeLessThan(stored.length);
});

it('knows zstd from what is none', () => {
  expect(zstdBoundary(Buffer.from('PGDMP and so on'), 1_000)).toBeUndefined();
  expect(zstdBoundary(Buffer.alloc(0), 0)).toBeUndefined();
});

it('finds the end of a whole age chunk', async () => {
  const stored = await encrypted(Buffer.alloc(200_000));
  const boundary = ageBoundary(stored, stored.length);
  expect(boundary?.what).toBe('the end of age chunk 3');
  // What is left of the fourth: its rows and its tag.
  expect(stored.length - (boundary?.at ?? 0)).toBe(200_000 - 3 * 65_536 + 16);
});

it('cuts an artifact of one chunk where the chunk begins', async () => {
  const stored = await encrypted(Buffer.from('small'));
  expect(ageBoundary(stored, stored.length)).toEqual({
    at: stored.length - 'small'.length - 16,
    what: 'the start of the only age chunk',
  });
  expect(ageBoundary(Buffer.from('no age file\n--- \n'), 100)).toBeUndefined();
});
