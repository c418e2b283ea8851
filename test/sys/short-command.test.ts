import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { childEnvironment } from '../../src/sys/environment.ts';
import { failureOf } from '../../src/sys/process.ts';
import { askProgram } from '../../src/sys/short-command.ts';
import { node, root } from '../e2e/runner.ts';

const env = childEnvironment(process.env, { libpq: false });
const shell = (script: string, ...rest: string[]) => askProgram({ program: 'sh', args: ['-c', script, ...rest], env });

it('gives what the program says on stdout, and its arguments as they are', async () => {
  await expect(shell('echo "$0|$1"; echo chatter >&2', 'a b', '"$HOME" \\')).resolves.toBe('a b|"$HOME" \\\n');
});

it('finds a program by the PATH it is given, also in a folder with a blank', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat short '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'answer'), '#!/bin/sh\necho 42\n');
  chmodSync(join(folder, 'answer'), 0o755);
  const PATH = `${folder}:/usr/bin:/bin`;
  await expect(askProgram({ program: 'answer', args: [], env: { PATH } })).resolves.toBe('42\n');
  await expect(askProgram({ program: join(folder, 'answer'), args: [], env })).resolves.toBe('42\n');
});

it('passes on no environment but its own, and an input that has ended', async () => {
  process.env.LEAKED_FROM_TESTS = '1';
  await expect(shell('cat; echo "$' + '{LEAKED_FROM_TESTS-none}"')).resolves.toBe('none\n');
});

it('says that a program is missing, failed or was killed', async () => {
  const missing = askProgram({ program: '/nonexistent/pg_dump', args: ['--version'], env });
  await expect(missing).rejects.toMatchObject({
    code: 'tool-missing',
    message: '/nonexistent/pg_dump could not be started: there is no such program here.',
  });
  const ended = { program: 'docker', path: 'docker', code: 127, signal: null };
  expect(failureOf({ ...ended, stderr: 'sh: 1: exec: docker: not found\n' })).toMatchObject({ code: 'tool-missing' });
  await expect(shell('echo out of luck >&2; exit 3')).rejects.toMatchObject({
    code: 'tool-failed',
    message: 'sh exited with 3: out of luck',
  });
  await expect(shell('kill -9 $$')).rejects.toThrow('sh was killed by a signal.');
});

it('prints neither the command nor what it says', async () => {
  const module = join(root, 'src/sys/short-command.ts');
  const ask = `askProgram({ program: 'sh', args: ['-c', 'echo ::error::x; echo y >&2'], env: { PATH: '/usr/bin:/bin' } })`;
  const script = `import { askProgram } from '${module}'; await ${ask};`;
  const { stdout, stderr } = await promisify(execFile)(node, ['--input-type=module', '-e', script]);
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
});
