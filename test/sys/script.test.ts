import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { runScript, type ScriptOptions } from '../../src/sys/script.ts';

const env = {
  PATH: process.env.PATH,
  HOME: '/nowhere',
  LIFEBOAT_AGE_IDENTITY: 'secret',
  'INPUT_TARGET-URL': 'secret',
  PGPASSWORD: 'secret',
};

async function run(script: string, more: Partial<ScriptOptions> = {}) {
  const lines: string[] = [];
  const options = { env, cwd: '/', signal: new AbortController().signal, ...more };
  const end = await runScript(script, (line) => void lines.push(line), options);
  return { ...end, lines };
}

function folder(): string {
  const path = mkdtempSync('/var/tmp/lifeboat-script-');
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it('runs every line, and gives what they say line by line', async () => {
  const script = 'echo one\necho two >&2\ncat <<END\nthree\nEND\nprintf four';
  const { code, lines } = await run(script);
  expect(code).toBe(0);
  expect(lines.toSorted()).toEqual(['four', 'one', 'three', 'two']);
});

it.each([
  ['the first line that fails', 'echo one; false; echo two', 1],
  ['a failure in the middle of a pipe', 'false | cat; echo two', 1],
  ['its own exit code', 'exit 7', 7],
  ['a syntax error', 'if then', 1],
])('ends with %s', async (_what, script, code) => {
  const ended = await run(script);
  expect(ended.code === 0 ? 0 : 1).toBe(code === 0 ? 0 : 1);
  if (code === 7) expect(ended.code).toBe(7);
  expect(ended.lines).not.toContain('two');
});

it('sees none of the inputs and secrets of the step, and stands in the folder given', async () => {
  const cwd = folder();
  const { lines } = await run('pwd; env', { cwd });
  expect(lines[0]).toBe(cwd);
  expect(lines).toContain('HOME=/nowhere');
  expect(lines.join('\n')).not.toContain('secret');
});

it('shows its script to nobody who lists the processes of the machine', async () => {
  const { lines } = await run("echo the-password >/dev/null; tr '\\0' ' ' </proc/$$/cmdline");
  expect(lines.join('\n')).toContain('bash');
  expect(lines.join('\n')).not.toContain('the-password');
});

it('does not wait for what goes on in the background', async () => {
  const pid = join(folder(), 'pid');
  const { code, lines } = await run(`sleep 600 & echo $! > ${pid}; echo started`);
  expect({ code, lines }).toEqual({ code: 0, lines: ['started'] });
  process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL');
});

it('is ended with all that it started when the run is stopped', async () => {
  const stop = new AbortController();
  const pid = join(folder(), 'pid');
  const running = run(`trap '' TERM; sleep 600 & echo $! > ${pid}; wait`, { signal: stop.signal });
  const child = await vi.waitFor(() => {
    const number = Number(readFileSync(pid, 'utf8'));
    expect(number).toBeGreaterThan(1);
    return number;
  }, 20_000);
  stop.abort(new Error('stopped'));
  await expect(running).rejects.toThrow('stopped');
  await vi.waitFor(() => expect(() => process.kill(child, 0)).toThrow(), 20_000);
});

it('begins nothing in a run that was stopped already', async () => {
  const stop = AbortSignal.abort(new Error('stopped'));
  const file = join(folder(), 'made');
  await expect(run(`touch ${file}`, { signal: stop })).rejects.toThrow('stopped');
  expect(() => readFileSync(file)).toThrow();
});
