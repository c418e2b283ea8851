import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup } from '../fixtures.ts';
import { node, root } from './runner.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { env: { PATH: '/usr/bin:/bin', ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const cli = join(root, 'dist/cli.js');
const lifeboat = (...words: string[]) => run(node, [cli, ...words]);

async function localStore(): Promise<string> {
  const url = `file://${mkdtempSync(join(tmpdir(), 'lifeboat-cli-'))}`;
  const store = memoryStore({ location: url });
  putBackup(store, new Date(Date.now() - 3_600_000));
  for await (const { key } of store.list('')) {
    const path = join(url.slice('file://'.length), key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat(await Array.fromAsync(await store.get(key))));
  }
  return url;
}

const store = await localStore();

describe('exit codes, and JSON alone on standard output', () => {
  it.each([
    [0, ['list', '--store', store]],
    [0, ['show', 'latest', '--store', store]],
    [1, ['list', '--store', store, '--source', 'other']],
    [1, ['verify-freshness', '--store', store, '--max-age', '1m', '--min-free-space', '0%']],
    [2, ['show', '20261121T031500Z-3f9a1c', '--store', store]],
    [2, ['pin', 'latest', '--store', store]],
    [2, ['list', '--store', 'nonsense']],
    [2, ['list', '--stoer', store]],
    [2, ['lst']],
    [2, ['undelete']],
    [2, ['completion', 'tcsh']],
    [2, ['backup', '--database-url', 'postgresql://user:hunter2hunter2@db/orders']],
    [2, ['show', 'x', 'postgresql://user:hunter2hunter2@db/orders']],
  ] as const)('exits with %i: %j', async (code, words) => {
    const text = await lifeboat(...words);
    expect(text.code).toBe(code);
    const asJson = await lifeboat(...words, '--json');
    expect(asJson.code).toBe(code);
    const report = JSON.parse(asJson.stdout) as { format: number; verdict: string; findings: { rule: string }[] };
    expect(report.format).toBe(1);
    expect(['pass', 'warn'].includes(report.verdict)).toBe(code === 0);
    expect(report.findings.some(({ rule }) => rule === 'run-failed')).toBe(code === 2);
    for (const said of [text, asJson]) expect(said.stdout + said.stderr).not.toContain('hunter2');
  });

  it.each([['--version'], ['help'], ['help', 'list'], ['list', '--help'], ['completion', 'bash']])(
    'gives JSON for %s %s too',
    async (...words) => {
      const { code, stdout } = await lifeboat(...words, '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toBeTypeOf('object');
    },
  );
});

it('colours a terminal only, and not with NO_COLOR', async () => {
  const onTerminal = (env: Record<string, string>) =>
    run('script', ['-qec', `${node} ${cli} list --store ${store}`, '/dev/null'], { TERM: 'xterm', ...env });
  expect((await onTerminal({})).stdout).toContain('\u001b[1;32mPASS\u001b[0m');
  expect((await onTerminal({ NO_COLOR: '1' })).stdout).not.toContain('\u001b');
  expect((await lifeboat('list', '--store', store)).stdout).not.toContain('\u001b');
});

describe('bin/lifeboat', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-bin-'));
  mkdirSync(join(folder, 'dist'));
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  const launcher = join(folder, 'bin/lifeboat');

  /** A folder with what `dirname` and the like need, and no Node that can be used. */
  function pathWith(nodes: Readonly<Record<string, string>>): string {
    const path = mkdtempSync(join(tmpdir(), 'lifeboat-path-'));
    for (const name of ['dirname', 'readlink', 'uname', 'cat', 'sh']) {
      const program = ['/usr/bin', '/bin'].map((where) => join(where, name)).find((one) => existsSync(one));
      if (program !== undefined) symlinkSync(program, join(path, name));
    }
    for (const [name, script] of Object.entries(nodes)) {
      writeFileSync(join(path, name), script);
      chmodSync(join(path, name), 0o755);
    }
    return path;
  }

  const old = '#!/bin/sh\necho 22\n';
  const broken = '#!/bin/sh\necho "cannot run" >&2\nexit 127\n';

  it.each([
    ['a PATH without Node', {}],
    ['one that is too old', { node: old }],
    ['one that does not start', { node: broken }],
  ])('takes the Node of a runner behind %s', async (_, nodes) => {
    const home = mkdtempSync(join(tmpdir(), 'lifeboat-home-'));
    mkdirSync(join(home, 'actions-runner/externals/node24/bin'), { recursive: true });
    symlinkSync(node, join(home, 'actions-runner/externals/node24/bin/node'));
    const ended = await run(launcher, ['--version'], { PATH: pathWith(nodes), HOME: home });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^lifeboat \d/) });
  });

  it('takes the Node of the runner that a step runs in, wherever that is installed', async () => {
    const runner = mkdtempSync(join(tmpdir(), 'lifeboat-runner-'));
    mkdirSync(join(runner, 'externals/node24/bin'), { recursive: true });
    mkdirSync(join(runner, '_work/_temp'), { recursive: true });
    symlinkSync(node, join(runner, 'externals/node24/bin/node'));
    const env = { PATH: pathWith({}), HOME: '/nonexistent', RUNNER_TEMP: join(runner, '_work/_temp') };
    expect(await run(launcher, ['--version'], env)).toMatchObject({ code: 0 });
  });

  it('prints the line to type where there is none', async () => {
    const ended = await run(launcher, ['list'], { PATH: pathWith({ node: old }), HOME: '/nonexistent' });
    expect(ended).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/needs Node 24 .*curl -fsSL https/s),
    });
  });
});
