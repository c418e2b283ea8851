import { expect, it } from 'vitest';
import { judgeContinuity, lastEncryptedOf, type MadeSoFar } from '../../src/core/backup-judgement.ts';
import type { CatalogBackup } from '../../src/core/catalog.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { backupAt, putBackup } from '../fixtures.ts';

const before = putBackup(memoryStore(), '2026-11-20');
const server = { ...before.server, host: 'db', port: 5432, database: 'orders', systemIdentifier: '701' };
const previous = { ...before, server };
const made: MadeSoFar = { scope: 'full', server, tables: 3, encrypted: false, lastEncrypted: undefined };
const rulesOf = (...given: Parameters<typeof judgeContinuity>) =>
  judgeContinuity(...given).map(({ rule, status }) => `${rule} ${status}`);

it('finds nothing in a backup like the one before, nor in the first of all', () => {
  expect(rulesOf(previous, made)).toEqual([]);
  expect(rulesOf(undefined, made)).toEqual([]);
});

it('names both databases when the name is another', () => {
  const [found] = judgeContinuity(previous, { ...made, server: { ...server, database: 'postgres' } });
  expect(found).toMatchObject({ rule: 'server-changed', status: 'warn' });
  expect(found?.message).toBe(
    `The backup before, ${previous.id}, is of database "orders" on db:5432; this one is of database "postgres" on db:5432.`,
  );
});

it('names both servers when the system identifier is another', () => {
  const [found] = judgeContinuity(previous, { ...made, server: { ...server, host: 'db2', systemIdentifier: '702' } });
  expect(found).toMatchObject({ rule: 'server-changed', status: 'warn' });
  expect(found?.message).toContain('"orders" on db:5432 (system identifier 701)');
  expect(found?.message).toContain('"orders" on db2:5432 (system identifier 702)');
});

it('takes a promoted standby, and a server whose identifier may not be read, for the same', () => {
  expect(rulesOf(previous, { ...made, server: { ...server, host: 'standby' } })).toEqual([]);
  expect(rulesOf(previous, { ...made, server: { ...server, systemIdentifier: null } })).toEqual([]);
  const unknown = { ...previous, server: { ...server, systemIdentifier: null } };
  expect(rulesOf(unknown, made)).toEqual([]);
});

it('fails a backup that is not encrypted as long as one of the last ten is', () => {
  const sealed = backupAt('2026-11-01', { artifacts: [{ key: 'database.dump.zst.age', bytes: 1 }] });
  const clear = (count: number) => Array.from({ length: count }, (_, day) => backupAt(`2026-11-${10 + day}`));
  const lost = (history: CatalogBackup[], encrypted: boolean) =>
    rulesOf(previous, { ...made, encrypted, lastEncrypted: lastEncryptedOf(history) });
  expect(lost([sealed], false)).toEqual(['encryption-lost fail']);
  expect(lost([sealed, ...clear(9)], false)).toEqual(['encryption-lost fail']);
  expect(lost([sealed, ...clear(10)], false)).toEqual([]);
  expect(lost([sealed], true)).toEqual([]);
  expect(lost(clear(3), false)).toEqual([]);
});

it.each(['full', 'tables', 'data'] as const)('warns of a backup of scope %s without a table', (scope) => {
  expect(rulesOf(previous, { ...made, scope, tables: 0 })).toEqual(['database-empty warn']);
});

it('expects no rows of the schema alone', () => {
  expect(rulesOf(previous, { ...made, scope: 'schema', tables: 0 })).toEqual([]);
});
