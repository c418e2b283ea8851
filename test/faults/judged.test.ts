import { expect, it } from 'vitest';
import type { StoreFiles } from './bytes-in-store.ts';
import { judgeOutcome } from './fault.ts';
import { findLostBackups } from './invariants.ts';
import type { Ended } from './program.ts';

const ids = ['20261119T030000Z-aaaaaa', '20261120T030000Z-aaaaaa', '20261121T030000Z-aaaaaa'] as const;
const before = new Map(ids.map((id) => [id as string, `manifest of ${id}`]));

function storeOf(manifests: ReadonlyMap<string, string>): StoreFiles {
  return {
    url: 'file:///store',
    keys: async () => [...manifests.keys()].map((id) => `shop/${id}/manifest.json`),
    read: async (key) => Buffer.from(manifests.get(key.split('/')[1] ?? '') ?? ''),
    openUploads: async () => [],
    clear: async () => {},
  };
}

it('misses after a prune only the newest backup, and every one after anything else', async () => {
  const without = (id: string) => storeOf(new Map([...before].filter(([one]) => one !== id)));
  expect(await findLostBackups({ store: without(ids[0]), before }, 'prune')).toEqual([]);
  expect(await findLostBackups({ store: without(ids[2]), before }, 'prune')).toHaveLength(1);
  for (const id of ids) expect(await findLostBackups({ store: without(id), before }, 'backup')).toHaveLength(1);
});

it('sees a manifest that was changed, also after a prune', async () => {
  const store = storeOf(new Map([...before, [ids[0], 'another']]));
  expect(await findLostBackups({ store, before }, 'prune')).toEqual([`The manifest of ${ids[0]} was changed.`]);
});

function endedWith(retries: number | undefined): Ended {
  const numbers = { numbers: { retries: retries ?? 0 } };
  const counted = { rule: 'store-retries', status: 'pass', message: '', ...numbers };
  const findings = retries === undefined ? [] : [counted];
  return {
    code: 0,
    signal: null,
    seconds: 1,
    hung: false,
    log: '',
    report: { verdict: 'pass', findings, outputs: {} },
  };
}

it('misses the count in the report of a fault that was overcome', () => {
  const fault = { expected: 'passes', counts: 'store-retries' } as const;
  expect(judgeOutcome(fault, endedWith(1), true)).toEqual([]);
  expect(judgeOutcome(fault, endedWith(undefined), true)).toHaveLength(1);
  expect(judgeOutcome(fault, endedWith(undefined), false)).toEqual([]);
  expect(judgeOutcome({ expected: 'passes' }, endedWith(undefined), true)).toEqual([]);
});
