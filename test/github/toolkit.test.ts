import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { githubLog } from '../../src/github/log.ts';
import { registerMasks, saveState, setOutput } from '../../src/github/toolkit.ts';
import { captureStdout } from './captured-stdout.ts';

const plain = { debug: false, redact: (text: string) => text };

it('escapes what would end a command or a property', async () => {
  const { toolkit, lines } = await captureStdout();
  toolkit.past(() => toolkit.core.error('100%\r\nx', { title: 'a:b,c' }));
  expect(lines()).toEqual(['::error title=a%3Ab%2Cc::100%25%0D%0Ax', '']);
});

it('registers masks with a runner, and prints no secret where there is none', async () => {
  const { toolkit, lines } = await captureStdout();
  vi.stubEnv('GITHUB_ACTIONS', undefined);
  registerMasks(toolkit, ['hunter2']);
  expect(lines()).toEqual(['']);
  vi.stubEnv('GITHUB_ACTIONS', 'true');
  registerMasks(toolkit, ['hunter2', 's3\ncret']);
  expect(lines()).toEqual(['::add-mask::hunter2', '::add-mask::s3%0Acret', '']);
});

it('sets one name only, whatever the value holds', async () => {
  const { toolkit } = await captureStdout();
  const path = join(mkdtempSync(join(tmpdir(), 'lifeboat-')), 'out');
  writeFileSync(path, '');
  vi.stubEnv('GITHUB_OUTPUT', path);
  setOutput(toolkit, 'verdict', 'pass\nEOF\nkept=1\nx<<y');
  const [first = '', ...rest] = readFileSync(path, 'utf8').split('\n');
  const delimiter = first.replace('verdict<<', '');
  expect(delimiter).toMatch(/^ghadelimiter_[0-9a-f-]{36}$/);
  expect(rest).toEqual(['pass', 'EOF', 'kept=1', 'x<<y', delimiter, '']);
});

it('prints no output and no state where there is no file for them', async () => {
  const { toolkit, lines } = await captureStdout();
  for (const empty of [undefined, '']) {
    vi.stubEnv('GITHUB_OUTPUT', empty);
    vi.stubEnv('GITHUB_STATE', empty);
    setOutput(toolkit, 'verdict', 'pass');
    saveState(toolkit, githubLog(toolkit, plain), 'started', '{}');
  }
  expect(lines()).toEqual(['']);
});

it('warns, and goes on, when state cannot be saved', async () => {
  const { toolkit, lines } = await captureStdout();
  vi.stubEnv('GITHUB_STATE', '/nonexistent/state');
  saveState(toolkit, githubLog(toolkit, plain), 'started', '{}');
  expect(lines()[0]).toMatch(/^::warning::`started` could not be saved .*\/nonexistent\/state$/);
});
