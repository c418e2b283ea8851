import { expect, it } from 'vitest';
import { momentOfAdopted } from '../../src/core/adopted-moment.ts';
import { at } from '../fixtures.ts';

const modifiedAt = at('2025-09-12T23:30:00Z');

it.each([
  ['chaindb_20250115_143000.dump', '2025-01-15T14:30:00Z'],
  ['backup-20240115-120000.sql.gz', '2024-01-15T12:00:00Z'],
  ['wallets_2025-09-12_1405.sql.gz', '2025-09-12T14:05:00Z'],
  ['shop-2025-01-15T14:30:05Z.dump', '2025-01-15T14:30:05Z'],
  ['backup-20250115.sql', '2025-01-15T00:00:00Z'],
  ['full_2025-09-12.sql.gz', '2025-09-12T23:30:00Z'],
  ['pre_restore_backup.sql.gz', '2025-09-12T23:30:00Z'],
  ['orders_20251399.sql', '2025-09-12T23:30:00Z'],
  ['ticket-4820250115.dump', '2025-09-12T23:30:00Z'],
])('dates %s as it is named', (name, moment) => {
  expect(momentOfAdopted({ name, createdAt: undefined, modifiedAt }, undefined).at).toEqual(at(moment));
});

it('believes what was given first, then the header of the archive', () => {
  const file = { name: 'shop_20250115_143000.dump', createdAt: at('2025-01-15T14:29:58Z'), modifiedAt };
  expect(momentOfAdopted(file, undefined).at).toEqual(at('2025-01-15T14:29:58Z'));
  expect(momentOfAdopted(file, at('2025-01-14')).at).toEqual(at('2025-01-14'));
});
