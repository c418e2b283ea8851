import { expect, it } from 'vitest';
import { judgeContinuity, type MadeSoFar } from '../../src/core/backup-judgement.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup } from '../fixtures.ts';

const before = putBackup(memoryStore(), '2026-11-20');
const server = { ...before.server, host: 'db', port: 5432, database: 'orders', systemIdentifier: '701' };
const previous = { ...before, server };
const made: MadeSoFar = { scope: 'full', server, tables: 3, encrypted: false };
const encrypted = {
  ...previous,
  artifacts: before.artifacts.map((one) => ({ ...one, encryption: { type: 'age' as const, recipients: ['age1x'] } })),
};
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

it('fails a backup that is not encrypted after one that is', () => {
  expect(rulesOf(encrypted, made)).toEqual(['encryption-lost fail']);
  expect(rulesOf(encrypted, { ...made, encrypted: true })).toEqual([]);
  expect(rulesOf(previous, { ...made, encrypted: true })).toEqual([]);
});

it.each(['full', 'tables', 'data'] as const)('warns of a backup of scope %s without a table', (scope) => {
  expect(rulesOf(previous, { ...made, scope, tables: 0 })).toEqual(['database-empty warn']);
});

it('expects no rows of the schema alone', () => {
  expect(rulesOf(previous, { ...made, scope: 'schema', tables: 0 })).toEqual([]);
});
