import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { runAction } from './runner.ts';
import { runJob } from './workflow.ts';

/** An action of one file, to see what a step sees. */
function actionOf(main: string, post?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-action-'));
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist/main.mjs'), main);
  writeFileSync(join(folder, 'dist/post.mjs'), post ?? '');
  const inputs = 'inputs:\n  my-key:\n    description: x\n  level:\n    description: x\n    default: 3\n';
  const runs = `runs:\n  using: node24\n  main: dist/main.mjs\n${post === undefined ? '' : '  post: dist/post.mjs\n'}`;
  writeFileSync(join(folder, 'action.yml'), `name: x\ndescription: x\n${inputs}${runs}`);
  return folder;
}

const print = (expression: string) => `console.log(JSON.stringify(${expression}));`;

it('sets every declared input, to what was given, the default or nothing, and warns of others', async () => {
  const inputs = "Object.fromEntries(Object.entries(process.env).filter(([k]) => k.startsWith('INPUT_')))";
  const { log, annotations } = await runAction({ action: actionOf(print(inputs)), with: { kepp: true } });
  expect(log).toContain('{"INPUT_MY-KEY":"","INPUT_LEVEL":"3","INPUT_KEPP":"true"}');
  expect(annotations).toMatchObject([{ type: 'warning', message: expect.stringContaining("'kepp'") }]);
});

it('runs a step in the workspace, without stdin, without the environment of the tests', async () => {
  process.env.LEAKED_FROM_TESTS = '1';
  const seen = print("[process.cwd() === process.env.GITHUB_WORKSPACE, process.env.LEAKED_FROM_TESTS ?? 'absent']");
  const stdin = "for await (const chunk of process.stdin) console.log('stdin', chunk);";
  const { log } = await runAction({ action: actionOf(`${seen}${stdin}`) });
  expect(log).toContain('[true,"absent"]');
  expect(log).not.toContain('stdin');
});

// By itself: nothing orders the lines of two pipes, so it could come after `stop-commands`.
it('obeys commands of stderr as well', async () => {
  const { outputs } = await runAction({ action: actionOf("console.error('  ::set-output name=b::2');") });
  expect(outputs).toEqual({ b: '2' });
});

it('obeys commands in both forms, until they are stopped', async () => {
  const lines = [
    "console.log('::set-output name=a::1');",
    "console.log('NOTICE: ##[set-output name=c;]3');",
    "console.log('::stop-commands::tok');",
    "console.log('::set-output name=d::4');",
    "console.log('::tok::');",
    "console.log('::error title=T%3A1::bad%0Anews');",
  ];
  const { outputs, annotations, log } = await runAction({ action: actionOf(lines.join('\n')) });
  expect(outputs).toEqual({ a: '1', c: '3' });
  expect(log).toContain('::set-output name=d::4');
  expect(annotations).toEqual([{ type: 'error', title: 'T:1', message: 'bad\nnews' }]);
});

it('hides masks in log, annotations and summary, from the moment they are registered', async () => {
  const main = `
    import { appendFileSync } from 'node:fs';
    console.log('before hunter2 and s3cret');
    console.log('::add-mask::hunter2');
    console.log('after hunter2');
    console.error('::warning::hunter2');
    appendFileSync(process.env.GITHUB_STEP_SUMMARY, '# hunter2');`;
  const result = await runAction({ action: actionOf(main), secrets: ['s3cret'] });
  expect(result.log).toContain('before hunter2 and ***');
  expect(result.log).toContain('after ***');
  expect(result.summary).toBe('# ***');
  expect(result.annotations[0]?.message).toBe('***');
});

it('drops a summary above 1 MiB and leaves the step green', async () => {
  const main = `
    import { appendFileSync } from 'node:fs';
    appendFileSync(process.env.GITHUB_STEP_SUMMARY, 'x'.repeat(1048577));`;
  const { exitCode, summary, annotations } = await runAction({ action: actionOf(main) });
  expect({ exitCode, summary }).toEqual({ exitCode: 0, summary: '' });
  expect(annotations[0]?.message).toContain('upload aborted');
});

it('gives post the state and the inputs again, and the exit code of main stays', async () => {
  const main = `
    import { appendFileSync } from 'node:fs';
    appendFileSync(process.env.GITHUB_STATE, 'folder<<EOF\\n/tmp/a\\nb\\nEOF\\n');
    process.exitCode = 3;`;
  const post = print("[process.env.STATE_folder, process.env['INPUT_MY-KEY']]");
  const result = await runAction({ action: actionOf(main, post), with: { 'my-key': 'k' } });
  expect(result.exitCode).toBe(3);
  expect(result.post?.log).toContain('["/tmp/a\\nb","k"]');
});

it('cancels with SIGINT to the process alone, and lets it end in its own way', async () => {
  const main = "process.on('SIGINT', () => process.exit(7)); setInterval(() => {}, 1e6); console.log('ready');";
  const interrupt = (line: string) => (line === 'ready' ? ('cancel' as const) : undefined);
  const result = await runAction({ action: actionOf(main), interrupt });
  expect(result).toMatchObject({ exitCode: 7, interrupted: 'cancel', orphans: [] });
});

it('kills the whole tree of a step that listens to no signal', async () => {
  const child = "const c = spawn('sleep', ['1000'], { stdio: 'ignore' }); console.log('child', c.pid);";
  const deaf = "for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => console.log('heard', s));";
  const main = `import { spawn } from 'node:child_process'; ${deaf} ${child} setInterval(() => {}, 1e6);`;
  const interrupt = (line: string) => (line.startsWith('child') ? ('cancel' as const) : undefined);
  const result = await runAction({ action: actionOf(main), interrupt });
  expect(result.exitCode).toBe(128);
  expect(result.log).toMatch(/heard SIGINT\n(.*\n)*heard SIGTERM/);
  expect(result.orphans).toEqual([]);
});

it('finds the children that a killed process left, and ends them with the job', async () => {
  const main = `import { spawn } from 'node:child_process';
    const c = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true }); console.log('child', c.pid); setInterval(() => {}, 1e6);`;
  const interrupt = (line: string) => (line.startsWith('child') ? ('kill' as const) : undefined);
  const { orphans, log } = await runAction({ action: actionOf(main), interrupt });
  const pid = Number(/child (\d+)/.exec(log)?.[1]);
  expect(orphans).toEqual([pid]);
  // What nobody waited for stays as an entry without a command line.
  const commandLine = () => (existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '');
  await vi.waitFor(() => expect(commandLine()).toBe(''), 20_000);
});

it('runs the steps of a job: outputs, conditions, environment, secrets', async () => {
  const { conclusion, steps } = await runJob(
    [
      { id: 'one', run: 'echo "size=16.10" >> "$GITHUB_OUTPUT"; echo "PLACE=sea" >> "$GITHUB_ENV"' },
      { run: `echo "\${{ steps.one.outputs.size }} $PLACE \${{ matrix.db }} \${{ secrets.TOKEN }}"` },
      { name: 'fails', shell: 'bash', run: 'false | true' },
      { name: 'skipped', run: 'echo never' },
      { name: 'after failure', if: "failure() && steps.one.outcome == 'success'", run: 'echo rescue' },
      { name: 'always', if: `\${{ always() }}`, uses: 'actions/checkout@v5' },
    ],
    { matrix: { db: 'orders' }, secrets: { TOKEN: 's3cret' } },
  );
  expect(conclusion).toBe('failure');
  expect(steps.map(({ outcome }) => outcome)).toEqual([
    'success',
    'success',
    'failure',
    'skipped',
    'success',
    'success',
  ]);
  expect(steps[1]?.result?.log).toContain('16.10 sea orders ***');
});
