import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { withFileLock } from '../../src/notify/file-lock.ts';

/** A folder with a `flock` of its own on the PATH, which leaves its process id there and goes on as `script` says. */
function withFlock(script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-file-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'flock');
  writeFileSync(program, `#!/bin/sh\necho $$ > ${folder}/pid\n${script}\n`);
  chmodSync(program, 0o755);
  const options = { env: { PATH: `${folder}:/usr/bin:/bin` }, signal: new AbortController().signal };
  return { lock: join(folder, 'lock'), options, pid: () => Number(readFileSync(join(folder, 'pid'), 'utf8')) };
}

const real = 'exec /usr/bin/flock "$@"';

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

it('comes back, and says that the lock was lost, when its holder ends too early', async () => {
  const { lock, options, pid } = withFlock('head -c 1; exit 7');
  const losing = withFileLock(lock, options, () => vi.waitFor(() => expect(isThere(pid())).toBe(false), 20_000));
  await expect(losing).rejects.toMatchObject({
    code: 'tool-failed',
    message: `The lock ${lock} was lost before the work under it was done: flock ended with 7.`,
    hint: expect.stringContaining('next run'),
  });
});

it('says the failure of the work rather than that of the lock', async () => {
  const { lock, options, pid } = withFlock('head -c 1; exit 7');
  const losing = withFileLock(lock, options, async () => {
    await vi.waitFor(() => expect(isThere(pid())).toBe(false), 20_000);
    throw new Error('of the work');
  });
  await expect(losing).rejects.toThrow('of the work');
});

it('holds the lock outside of the group that Ctrl-C on a terminal ends, and frees it afterwards', async () => {
  const { lock, options, pid } = withFlock(real);
  const group = await withFileLock(lock, options, async () => {
    const { 2: group } = readFileSync(`/proc/${pid()}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(group);
  });
  expect(group).toBe(pid());
  expect(isThere(pid())).toBe(false);
  expect(await withFileLock(lock, options, async () => 'again')).toBe('again');
});
