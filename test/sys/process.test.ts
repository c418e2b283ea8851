import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { childEnvironment } from '../../src/sys/environment.ts';
import { feed, outputOf, runText, startPipeline } from '../../src/sys/process.ts';
import { askProgram } from '../../src/sys/short-command.ts';
import { traceTo } from '../../src/sys/trace.ts';

const env = { PATH: process.env.PATH ?? '' };
const sh = (script: string) => ({ program: 'sh', args: ['-c', script], env });

describe('a pipeline of programs', () => {
  it('gives what the last program printed', async () => {
    const output = outputOf(startPipeline([sh('printf "b\\na\\n"'), { program: 'sort', args: [], env }], 'none'));
    expect(await text(output)).toBe('a\nb\n');
  });

  it('errors after output that looks complete when an earlier program failed', async () => {
    const output = outputOf(startPipeline([sh('printf data; echo lost connection >&2; exit 3'), sh('cat')], 'none'));
    await expect(buffer(output)).rejects.toThrow('sh exited with 3: lost connection');
  });

  it('blames the program that failed, not the one whose reader died', async () => {
    const pipe = startPipeline([sh('yes'), sh('head -c 10; echo no room >&2; exit 7')], 'none');
    await expect(buffer(outputOf(pipe))).rejects.toThrow('exited with 7: no room');
  });

  it('says in the trace what it started, and how that ended', async () => {
    const lines: string[] = [];
    traceTo((line) => lines.push(line));
    onTestFinished(() => traceTo(undefined));
    await expect(runText(sh('echo "it\'s"; exit 4'))).rejects.toThrow('exited with 4');
    await expect(askProgram({ program: 'sh', args: ['-c', 'exit 0'], env })).resolves.toBe('');
    expect(lines).toEqual([
      `Starting sh -c 'echo "it'\\''s"; exit 4'`,
      expect.stringMatching(/^sh exited with 4 after \d+\.\d\d s$/),
      `Starting sh -c 'exit 0'`,
      expect.stringMatching(/^sh exited with 0 after /),
    ]);
  });

  it('ends every program when the reader gives up', async () => {
    const pipe = startPipeline([sh('yes'), sh('cat')], 'none');
    const output = outputOf(pipe);
    for await (const _ of output) break;
    const exits = await Promise.all(pipe.programs.map((program) => program.exit));
    expect(exits.every((exit) => exit.code !== 0)).toBe(true);
  });

  it('ends every program, and says why, when its signal aborts', async () => {
    const abort = new AbortController();
    const pipe = startPipeline([sh('exec sleep 600')], 'none', abort.signal);
    abort.abort(new Error('cancelled by the user'));
    await expect(pipe.done).rejects.toThrow('cancelled by the user');
  });

  it('names a program that does not exist', async () => {
    const missing = { program: 'pg_no_such_program', args: [], env };
    await expect(runText(missing)).rejects.toMatchObject({ code: 'tool-missing' });
  });
});

describe('feeding a pipeline', () => {
  it('rejects with what the input broke off with', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the store went away');
      })(),
    );
    await expect(feed(startPipeline([sh('cat >/dev/null')], 'pipe'), broken)).rejects.toThrow('the store went away');
  });

  it('rejects with the failure of a program that stopped reading', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65_536);
      })(),
    );
    const refusing = startPipeline([sh('head -c 10 >/dev/null; echo bad header >&2; exit 1')], 'pipe');
    await expect(feed(refusing, endless)).rejects.toThrow('exited with 1: bad header');
  });
});

describe('the environment of a child', () => {
  const given = {
    PATH: '/bin',
    PGHOST: 'db',
    INPUT_TOKEN: 'x',
    GITHUB_TOKEN: 'x',
    LIFEBOAT_AGE_IDENTITY: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    LD_PRELOAD: '/x',
    NODE_OPTIONS: 'x',
    ACTIONS_RUNTIME_TOKEN: 'x',
    RUNNER_TRACKING_ID: 'github_1',
    LC_ALL: 'C',
  };

  it('holds no input, token or loader setting', () => {
    expect(childEnvironment(given, { libpq: false })).toEqual({
      PATH: '/bin',
      RUNNER_TRACKING_ID: 'github_1',
      LC_ALL: 'C',
    });
  });

  it('holds what libpq reads only for programs that need it', () => {
    expect(childEnvironment(given, { libpq: true })).toHaveProperty('PGHOST', 'db');
  });
});

it('closes its own ends of the pipes between programs', async () => {
  const open = () =>
    readdirSync('/proc/self/fd').filter(
      (fd) => existsSync(`/proc/self/fd/${fd}`) && readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:'),
    ).length;
  await text(outputOf(startPipeline([sh('true'), sh('cat')], 'none')));
  const before = open();
  for (let round = 0; round < 5; round++) await text(outputOf(startPipeline([sh('true'), sh('cat')], 'none')));
  expect(open()).toBeLessThanOrEqual(before);
});

it('ends programs that still run when this process exits', async () => {
  const script = `import { start } from '${new URL('../../src/sys/process.ts', import.meta.url).href}';
    const child = start({ program: 'sleep', args: ['600'], env: { PATH: process.env.PATH } }, 'ignore', false);
    console.log(child.pid); process.exit(0);`;
  const pid = Number(await runText({ program: process.execPath, args: ['--input-type=module', '-e', script], env }));
  expect(pid).toBeGreaterThan(0);
  // A killed process is gone, or waits as a zombie for whoever inherited it.
  await expect
    .poll(() =>
      existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] : 'gone',
    )
    .toMatch(/Z|gone/);
});
