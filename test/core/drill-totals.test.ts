import { expect, it } from 'vitest';
import { judgeTotals } from '../../src/core/drill-totals.ts';
import type { Facts } from '../../src/core/facts.ts';
import { serverInfo } from '../fixtures.ts';
import { emptyFacts } from './empty-facts.ts';

const facts: Facts = {
  ...emptyFacts,
  tables: [
    { name: 'public.a', rows: 3 },
    { name: 'public.b', rows: 4 },
  ],
  schema: [{ kind: 'table', identity: 'public.a', digest: '0' }],
};
const totals = { databaseBytes: 1_000, tables: 2, rows: 7, schemaObjects: 1 };

it('passes totals that are those of the facts', () => {
  expect(judgeTotals({ totals, server: serverInfo }, facts).status).toBe('pass');
});

it.each(['tables', 'rows', 'schemaObjects'] as const)('names totals.%s when it is one off', (name) => {
  const found = judgeTotals({ totals: { ...totals, [name]: totals[name] + 1 }, server: serverInfo }, facts);
  expect(found).toMatchObject({ rule: 'manifest-totals', status: 'fail' });
  expect(found.message).toContain(`totals.${name} is ${totals[name] + 1}, and ${totals[name]} by the facts`);
});

it('expects no facts of the unlogged tables of a standby', () => {
  const standby = { ...serverInfo, standby: true };
  expect(judgeTotals({ totals: { ...totals, tables: 3 }, server: standby }, facts).status).toBe('pass');
});
