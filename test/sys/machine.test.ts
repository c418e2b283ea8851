import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { examineMachine, runnerVersion } from '../../src/sys/machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'lifeboat-machine-'));
const env = { PATH: process.env.PATH };

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('looks at this machine', async () => {
  const machine = await examineMachine(env, join(folder, 'not/there'));
  expect(machine.node).toBe(process.versions.node);
  expect(machine.programs.find(({ name }) => name === 'zstd')?.version).toMatch(/^\d+\.\d+/);
  expect(machine.scratch).toMatchObject({ path: folder, fileSystem: { name: expect.any(String) } });
  expect(machine.scratch.freeBytes).toBeLessThanOrEqual(machine.scratch.totalBytes);
  expect(machine.runner).toBeUndefined();
});

it('has no version of what is not there', async () => {
  const { programs } = await examineMachine({ PATH: '/nonexistent' }, folder);
  expect(programs.map(({ version }) => version)).toEqual(programs.map(() => undefined));
});

it('knows the room of a runner', async () => {
  const { runner } = await examineMachine({ ...env, GITHUB_ACTIONS: 'true', RUNNER_TEMP: folder }, folder);
  expect(runner?.temp?.path).toBe(folder);
});

it('knows shared memory for what it is', async () => {
  const { scratch } = await examineMachine(env, '/dev/shm');
  expect(scratch.fileSystem).toEqual({ name: 'tmpfs', kind: 'memory' });
});

it('reads the version of a runner from its folders', () => {
  const root = join(folder, 'runner');
  for (const name of ['bin.2.330.0', 'externals.2.330.0/node24/bin']) mkdirSync(join(root, name), { recursive: true });
  const node = join(root, 'externals.2.330.0/node24/bin/node');
  writeFileSync(node, '');
  symlinkSync('externals.2.330.0', join(root, 'externals'));
  expect(runnerVersion(join(root, 'externals/node24/bin/node'))).toBe('2.330.0');
  symlinkSync('bin.2.330.0', join(root, 'bin'));
  expect(runnerVersion(join(root, 'externals/node24/bin/node'))).toBe('2.330.0');
  expect(runnerVersion('/usr/bin/node')).toBeUndefined();
});
