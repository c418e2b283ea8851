import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { actions } from '../../src/actions/index.ts';
import { node } from '../e2e/runner.ts';
import { root } from './source-files.ts';

const dist = join(root, 'dist');
const files = readdirSync(dist).sort();
const bare = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = bare): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

it('holds the bundle, its chunks, licences, and one stub for each entry, and nothing else', () => {
  const stubs = [...Object.keys(actions), 'command', 'post', 'cli'].map((name) => `${name}.js`);
  const rest = files.filter((file) => !/^\d+\.index\.js$/.test(file));
  expect(rest).toEqual([...stubs, 'index.js', 'licenses.txt', 'package.json'].sort());
  expect(readFileSync(join(dist, 'licenses.txt'), 'utf8')).toMatch(
    /^zod \d+\.\d+\.\d+ \(MIT\)\n\n[\s\S]*Permission is hereby granted/m,
  );
});

it.each(Object.keys(actions))('%s.js starts, and refuses a step without inputs', async (name) => {
  const { code, stdout, stderr } = await run(node, [join(dist, `${name}.js`)]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toContain(`UNKNOWN: ${name} could not do its work`);
  expect(stdout).toContain('`store` is missing.');
});

it('command.js runs the action that `command` names', async () => {
  const known = await run(node, [join(dist, 'command.js')], { ...bare, INPUT_COMMAND: 'prune' });
  expect(known).toMatchObject({ code: 1, stdout: expect.stringContaining('prune could not do its work') });
  const unknown = await run(node, [join(dist, 'command.js')], { ...bare, INPUT_COMMAND: 'prunes' });
  expect(unknown).toMatchObject({ code: 1, stdout: expect.stringContaining('`command` cannot be "prunes"') });
});

it('post.js does nothing after a step that ended by itself', async () => {
  expect(await run(node, [join(dist, 'post.js')])).toEqual({ code: 0, stdout: '', stderr: '' });
  const env = { ...bare, STATE_started: '{}', STATE_finished: 'true' };
  expect(await run(node, [join(dist, 'post.js')], env)).toEqual({ code: 0, stdout: '', stderr: '' });
});

it.each(files.filter((file) => file.endsWith('index.js')))('%s can be loaded', async (file) => {
  expect(await run(node, ['--input-type=module', '-e', `await import('${join(dist, file)}')`])).toMatchObject({
    code: 0,
  });
});

/** Chunks that hold no code of stores, engines and notifications: GitHub's toolkit. */
const toolkit = files.filter(
  (file) =>
    /^\d+\.index\.js$/.test(file) &&
    !/\.\/lib\/(stores|engines|notify)\/|@aws-sdk|nodemailer/.test(readFileSync(join(dist, file), 'utf8')),
);

function partOf(...kept: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-dist-'));
  for (const file of ['index.js', 'package.json', ...kept]) copyFileSync(join(dist, file), join(folder, file));
  return folder;
}

it('refuses wrong inputs without loading a store, an engine or a way to notify', async () => {
  const folder = partOf('backup.js', ...toolkit);
  expect(files.filter((file) => /^\d/.test(file)).length).toBeGreaterThan(toolkit.length);
  const { stdout } = await run(node, [join(folder, 'backup.js')], { ...bare, INPUT_SOURCE: 'orders' });
  expect(stdout).toContain('`store` is missing.');
});

it("does without GitHub's toolkit on a terminal, and after a step that ended by itself", async () => {
  const folder = partOf('cli.js', 'post.js');
  const refused = await run(node, [join(folder, 'cli.js'), 'prune']);
  expect(refused).toMatchObject({ code: 2, stdout: expect.stringContaining('`store` is missing.') });
  const env = { ...bare, STATE_started: '{}', STATE_finished: 'true' };
  expect(await run(node, [join(folder, 'post.js')], env)).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('prints no secret, output or state as a command where no runner reads', async () => {
  const env = { ...bare, PGPASSWORD: 'hunter2-hunter2', INPUT_SOURCE: 'orders' };
  const { stdout, stderr } = await run(node, [join(dist, 'backup.js')], env);
  expect(stdout).toContain('`store` is missing.');
  expect(stdout + stderr).not.toMatch(/hunter2|add-mask|set-output|save-state/);
});

it('bin/lifeboat finds its bundle through a link, and a Node that can run it', async () => {
  const link = join(mkdtempSync(join(tmpdir(), 'lifeboat-bin-')), 'lifeboat');
  symlinkSync(join(root, 'bin/lifeboat'), link);
  const env = { ...bare, PATH: `${dirname(node)}:${bare.PATH}` };
  expect(await run(link, ['--version'], env)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^lifeboat \d/) });
  expect(await run(link, [], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('verify-freshness') });
});

it('exits with 2 on a terminal when the work could not be done', async () => {
  const env = { ...bare, PATH: `${dirname(node)}:${bare.PATH}` };
  const refused = await run(join(root, 'bin/lifeboat'), ['prune'], env);
  expect(refused).toMatchObject({ code: 2, stdout: expect.stringContaining('`store` is missing.') });
  const secret = await run(join(root, 'bin/lifeboat'), ['backup', '--database-url', 'postgresql://a:b@c/d'], env);
  expect(secret).toMatchObject({ code: 2, stderr: expect.stringContaining('is a secret and cannot be a flag') });
});

const stubs = files.filter((file) => !/index\.js$/.test(file) && file.endsWith('.js'));
const codeOf = (stub: string) => (stub === 'cli.js' ? 2 : 1);
const tooOld = (version: string) =>
  `lifeboat: Node ${version} is too old. Run this with Node 24 or newer, or start bin/lifeboat, which looks for one.\n`;

it.each(stubs)('%s says on a Node that is too old what to do, and loads nothing', async (stub) => {
  const folder = partOf();
  writeFileSync(join(folder, 'index.js'), 'console.log("loaded");');
  copyFileSync(join(dist, stub), join(folder, stub));
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.9.0' } })";
  const ended = await run(node, ['--import', `data:text/javascript,${older}`, join(folder, stub)]);
  expect(ended).toEqual({ code: codeOf(stub), stdout: '', stderr: tooOld('22.9.0') });
});

it('says so on a real one, too', async ({ skip }) => {
  const old = '/usr/bin/node';
  const { stdout } = await run(old, ['-p', 'process.versions.node']);
  const version = stdout.trim();
  if (!/^(1[2-9]|2[0-3])\./.test(version)) {
    console.warn(`Skipped, needs an old Node at ${old}: it has ${version === '' ? 'none' : version}`);
    skip();
  }
  expect(await run(old, [join(dist, 'cli.js'), '--version'])).toEqual({ code: 2, stdout: '', stderr: tooOld(version) });
  const step = await run(old, [join(dist, 'backup.js')]);
  expect(step).toEqual({ code: 1, stdout: '', stderr: tooOld(version) });
});

it.each(stubs)('%s is red when it ends without a word, or by what nobody caught', async (stub) => {
  const folder = partOf(stub);
  const entries = (body: string) =>
    writeFileSync(
      join(folder, 'index.js'),
      ['main', 'post', 'cli'].map((name) => `export async function ${name}() { ${body} }\n`).join(''),
    );
  entries('await new Promise(() => {});');
  const silent = await run(node, [join(folder, stub)]);
  expect(silent).toMatchObject({ code: codeOf(stub), stderr: expect.stringContaining('This is a bug in Lifeboat') });
  entries('process.exitCode = 0; throw new Error("of the work");');
  const thrown = await run(node, [join(folder, stub)]);
  expect(thrown).toMatchObject({ code: codeOf(stub), stderr: expect.stringContaining('Error: of the work') });
  entries('process.exitCode = 0;');
  expect(await run(node, [join(folder, stub)])).toEqual({ code: 0, stdout: '', stderr: '' });
});
