import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Standing } from '../../src/core/change.ts';
import { removeLeftoverDirs } from '../../src/sys/scratch-dir.ts';
import { verdictMemory } from '../../src/sys/verdict-memory.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const standing: Standing = { format: 1, well: false, groups: ['age'], since: '2026-11-20T03:15:00.000Z', owed: ['a'] };
const DAY_MS = 24 * 3_600_000;

function newBase(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-memory-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'base');
}

it('remembers what was written, for this user alone', async () => {
  const base = newBase();
  const memory = verdictMemory(base, KEY);
  expect(await memory.read()).toBeUndefined();
  await memory.write(standing);
  await memory.write({ ...standing, owed: [] });
  expect(await memory.read()).toEqual({ ...standing, owed: [] });
  expect(await verdictMemory(base, KEY.replace('0', 'f')).read()).toBeUndefined();
  const path = join(base, 'verdicts');
  expect(readdirSync(path)).toEqual([`${KEY}.json`]);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(path, `${KEY}.json`)).mode & 0o777).toBe(0o600);
});

it('lets the user of a scratch server pass, whatever the umask', async () => {
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  const base = newBase();
  await verdictMemory(base, KEY).write(standing);
  expect(statSync(base).mode & 0o777).toBe(0o711);
});

it.each([
  ['empty', ''],
  ['cut', '{'],
  ['of another format', '{"format":2}'],
  ['a list', '[]'],
  ['zeros', '\0'.repeat(100_000)],
])('takes a damaged file for none: %s', async (_, text) => {
  const base = newBase();
  const memory = verdictMemory(base, KEY);
  await memory.write(standing);
  writeFileSync(join(base, 'verdicts', `${KEY}.json`), text);
  expect(await memory.read()).toBeUndefined();
  await memory.write(standing);
  expect(await memory.read()).toEqual(standing);
});

it('is not damaged by runs side by side', async () => {
  const base = newBase();
  await verdictMemory(base, KEY).write(standing);
  const runs = Array.from({ length: 8 }, async (_, run) => {
    const memory = verdictMemory(base, KEY);
    for (let round = 0; round < 25; round += 1) {
      // Of very different lengths: one written over the other would leave a tail.
      await memory.write({ ...standing, owed: ['x'.repeat((run + round) % 2 === 0 ? 1 : 60_000)] });
      expect(await memory.read()).toBeDefined();
    }
  });
  await Promise.all(runs);
  expect(readdirSync(join(base, 'verdicts'))).toEqual([`${KEY}.json`]);
});

it('removes what no run has written to for ninety days, and nothing that is not its own', async () => {
  const base = newBase();
  await verdictMemory(base, KEY).write(standing);
  const aged = (name: string, days: number) => {
    const path = join(base, 'verdicts', name);
    writeFileSync(path, '{}');
    const at = new Date(Date.now() - days * DAY_MS);
    utimesSync(path, at, at);
  };
  const other = KEY.replace('0', 'f');
  aged(`${other}.json`, 91);
  aged(`${other}.json.00000000-0000-4000-8000-000000000000.tmp`, 91);
  aged(`${KEY.replace('0', 'e')}.json`, 89);
  aged('notes.txt', 400);
  await verdictMemory(base, KEY).write(standing);
  expect(readdirSync(join(base, 'verdicts')).toSorted()).toEqual([
    `${KEY}.json`,
    `${KEY.replace('0', 'e')}.json`,
    'notes.txt',
  ]);
});

it('neither reads nor writes where others may write, nor through a link', async () => {
  const base = newBase();
  const memory = verdictMemory(base, KEY);
  await memory.write(standing);
  chmodSync(join(base, 'verdicts'), 0o777);
  expect(await memory.read()).toBeUndefined();
  await expect(memory.write(standing)).rejects.toMatchObject({ code: 'scratch-failed' });
  const elsewhere = newBase();
  mkdirSync(elsewhere, { recursive: true });
  symlinkSync(join(base, 'verdicts'), join(elsewhere, 'verdicts'));
  await expect(verdictMemory(elsewhere, KEY).write(standing)).rejects.toThrow('belongs to somebody else');
});

it('is left alone by whoever removes what killed drills left', async () => {
  const base = newBase();
  const memory = verdictMemory(base, KEY);
  await memory.write(standing);
  const old = new Date(Date.now() - 10 * DAY_MS);
  utimesSync(join(base, 'verdicts'), old, old);
  mkdirSync(join(base, 'scratch-abandoned'));
  utimesSync(join(base, 'scratch-abandoned'), old, old);
  const removed = await removeLeftoverDirs(base);
  expect(removed).toEqual([expect.stringContaining('scratch-abandoned')]);
  expect(await memory.read()).toEqual(standing);
});
