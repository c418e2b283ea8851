import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { plainBytesOf, zstd } from '../../src/sys/zstd.ts';

const compression = zstd(process.env);
const from = (bytes: Buffer) => Readable.from([bytes]);

it('gives back what it was given', async () => {
  const plain = Buffer.alloc(1_000_000, 'abc');
  const compressed = await buffer(compression.compress(from(plain), 3));
  expect(compressed.length).toBeLessThan(1000);
  const back = await buffer(compression.decompress(from(compressed)));
  expect(back.equals(plain)).toBe(true);
});

it('finds by default what repeats within megabytes, and any zstd reads it', async () => {
  const rows = randomBytes(4 << 20);
  const plain = Buffer.concat([rows, rows]);
  const compressed = await buffer(compression.compress(from(plain), 3));
  expect(compressed.length).toBeLessThan(1.01 * rows.length);
  const back = execFileSync('zstd', ['-dc'], { input: compressed, maxBuffer: 2 * plain.length });
  expect(back.equals(plain)).toBe(true);
});

it('spends no bytes on random digits that happen to repeat', async () => {
  const digits = Buffer.from(randomBytes(2 << 20).toString('hex'));
  // Half a byte for each digit is what no compression can go below.
  expect((await buffer(compression.compress(from(digits), 3))).length).toBeLessThan(1.02 * (digits.length / 2));
});

it('reads every frame of a stream, and windows as large as zstd can write', async () => {
  const frames = ['--long=27', '--long=31'].map((long) =>
    execFileSync('zstd', ['-q', long, '-c'], { input: 'frame ' }),
  );
  expect((await buffer(compression.decompress(from(Buffer.concat(frames))))).toString()).toBe('frame frame ');
});

it('errors on a frame that is cut or damaged', async () => {
  const whole = await buffer(compression.compress(from(Buffer.alloc(100_000, 'x')), 3));
  await expect(buffer(compression.decompress(from(whole.subarray(0, -1))))).rejects.toThrow('zstd exited with 1');
  const flipped = Buffer.from(whole);
  flipped.writeUInt8((whole.at(-1) ?? 0) ^ 1, whole.length - 1);
  await expect(buffer(compression.decompress(from(flipped)))).rejects.toThrow('zstd exited with 1');
});

it('errors with what its input broke off with', async () => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('some');
      throw new Error('the disk went away');
    })(),
  );
  await expect(buffer(compression.compress(broken, 3))).rejects.toThrow('the disk went away');
});

it.each([
  ['/*stdin*\\            :533.33%   (     3 B =>     16 B, /*stdout*\\) ', 3],
  ['/*stdin*\\            :100.00%   (123456789 B => 123459625 B, /*stdout*\\) ', 123_456_789],
  ['', undefined],
])('reads the number of plain bytes from %j', (stderr, bytes) => {
  expect(plainBytesOf(stderr)).toBe(bytes);
});
