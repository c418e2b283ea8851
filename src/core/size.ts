import { Failure } from './failure.ts';

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Bytes in a size such as `500MB` (millions) or `10GiB` (powers of two). A bare number is refused.
 *
 * @throws {Failure} `invalid-input`
 */
export function parseSize(text: string): number {
  const parts = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text);
  const factor = UNITS[parts?.[2]?.toLowerCase() ?? ''];
  const bytes = factor === undefined ? Number.NaN : Math.round(Number(parts?.[1]) * factor);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new Failure('invalid-input', `"${text}" is not a size.`, {
    hint: 'Use a number and B, KB, MB, GB, TB or KiB, MiB, GiB, TiB: `500MB`, `10GiB`.',
  });
}

/** For people: `812 B`, `1.4 GiB`; powers of two, three digits. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  // 999.5 and not 1024: "1,010 KiB" reads worse than "0.99 MiB" and needs more room.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 ? String(Math.round(value)) : value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
  return `${text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')} ${units[unit]}`;
}
