import { expect, it } from 'vitest';
import { describeDrillProgress } from '../../src/core/drill-progress.ts';

const MIB = 2 ** 20;
const during = (doing: string, read: number) =>
  describeDrillProgress({ doing, totalBytes: 10 * MIB, bytes: () => read }, read, 0);

it('tells bytes, share and rate while the backup is read', () => {
  expect(during('restoring', 5 * MIB)).toBe('restoring: 5 MiB of 10 MiB read (50 %), 512 KiB/s');
});

it('says that all was read, and no rate, when nothing is left', () => {
  expect(during('restoring', 10 * MIB)).toBe('restoring: all 10 MiB read');
});

it.each(['starting the scratch server', 'comparing facts', 'checking', 'reading back'])(
  'tells no bytes while %s',
  (doing) => {
    expect(during(doing, 5 * MIB)).toBe(doing);
  },
);
