import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { makeScratchDir, removeLeftoverDirs } from '../../src/sys/scratch-dir.ts';

const SUBJECT = join(import.meta.dirname, '../../src/sys/scratch-dir.ts');
let base: string;

beforeEach(() => {
  base = mkdtempSync('/var/tmp/lifeboat-scratch-dir-'); // not /tmp: that may be a tmpfs, which is refused
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const FOR_EVER = `
  for (let at = 0; ; at++) {
    const dir = await makeScratchDir(base, String(at), 0);
    if (at === 3) console.log('under way');
    await dir.remove();
  }`;

/** Runs a script that makes folders, from the first line that it prints until it is killed. */
async function makerOf(script: string) {
  const whole = `import { makeScratchDir } from ${JSON.stringify(SUBJECT)};\nconst base = ${JSON.stringify(base)};\n${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', whole], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  };
}

it('is there with its owner or not at all, and leaves nothing', async () => {
  const dir = await makeScratchDir(base, 'one', 0);
  expect(readdirSync(base)).toEqual(['scratch-one']);
  expect(readdirSync(dir.path)).toEqual(['owner.json']);
  expect(await removeLeftoverDirs(base)).toEqual([]);
  await dir.remove();
  expect(readdirSync(base)).toEqual([]);
});

it('is removed by the next run, in whatever moment its owner was killed', async () => {
  for (let round = 0; round < 12; round++) {
    const kill = await makerOf(FOR_EVER);
    await delay(round * 3.7);
    await kill();
    await removeLeftoverDirs(base);
    expect(readdirSync(base)).toEqual([]);
  }
});

it('is left alone while its owner is making or removing it', async () => {
  const kill = await makerOf(FOR_EVER);
  const removed = new Set<string>();
  const seen = new Set<string>();
  await expect
    .poll(
      async () => {
        for (const name of readdirSync(base)) seen.add(name.slice(0, 6));
        for (const what of await removeLeftoverDirs(base)) removed.add(what);
        return [...seen].toSorted();
      },
      { interval: 1 },
    )
    .toEqual(['.half-', 'scratc']);
  await kill();
  expect([...removed]).toEqual([]);
});

it('is left alone while its owner lives, and when it is somebody else’s', async () => {
  const kill = await makerOf(`
    await makeScratchDir(base, 'theirs', 0);
    console.log('made');
    setInterval(() => {}, 1000);`);
  mkdirSync(join(base, 'scratch-unmarked'));
  writeFileSync(join(base, 'scratch-unmarked/data'), '');
  mkdirSync(join(base, '.half-of-something-else'));
  const all = ['.half-of-something-else', 'scratch-theirs', 'scratch-unmarked'];
  expect(await removeLeftoverDirs(base)).toEqual([]);
  expect(readdirSync(base).toSorted()).toEqual(all);
  await kill();
  expect(await removeLeftoverDirs(base)).toEqual([expect.stringContaining('which is gone')]);
  expect(readdirSync(base).toSorted()).toEqual(all.filter((name) => name !== 'scratch-theirs'));
});
