import { expect, it } from 'vitest';
import { formatBytes, parseSize } from '../../src/core/size.ts';

it.each([
  ['0B', 0],
  ['500MB', 500_000_000],
  ['10GiB', 10_737_418_240],
  ['1.5 KiB', 1_536],
  ['2tb', 2_000_000_000_000],
])('reads %s as %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(['', '500', '10G', '-1MB', 'MB', '1e3MB', '1..5GB', '9999999TiB'])('refuses %j as a size', (text) => {
  expect(() => parseSize(text)).toThrow(/is not a size/);
});

it.each([
  [0, '0 B'],
  [812, '812 B'],
  [1_023, '1 KiB'],
  [1_536, '1.5 KiB'],
  [1_503_238_553, '1.4 GiB'],
  [104_857_600, '100 MiB'],
  [999 * 1024, '999 KiB'],
  [1_000 * 1024, '0.98 MiB'],
  [-2_048, '-2 KiB'],
])('writes %d as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
