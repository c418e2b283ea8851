import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { commands } from '../src/commands/index.ts';
import { completionFor } from '../src/completion.ts';

const run = promisify(execFile);

describe('bash', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-completion-'));
  writeFileSync(join(folder, 'lifeboat.bash'), completionFor('bash', commands));
  writeFileSync(join(folder, 'orders.url'), '');

  /** What bash offers for the last of these words, as it does when Tab is pressed behind them. */
  async function offered(...words: string[]): Promise<string[]> {
    const script = `. ./lifeboat.bash; complete -p lifeboat >&2
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lifeboat; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await run('bash', ['--noprofile', '--norc', '-uc', script, 'bash', ...words], {
      cwd: folder,
    });
    expect(stderr).toContain('complete -F _lifeboat lifeboat');
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('completes commands', async () => {
    expect(await offered('lifeboat', 're')).toEqual(expect.arrayContaining(['restore-drill']));
    expect(await offered('lifeboat', '')).toEqual(expect.arrayContaining([...Object.keys(commands), 'completion']));
    expect(await offered('lifeboat', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('completes the flags of a command, of secrets only those that name a file', async () => {
    expect(await offered('lifeboat', 'prune', '--keep-d')).toEqual(['--keep-daily']);
    expect(await offered('lifeboat', 'list', '--keep-d')).toEqual([]);
    expect(await offered('lifeboat', 'backup', '--database')).toEqual(['--database-url-file']);
  });

  it('completes the values of a choice, of the command they belong to', async () => {
    expect(await offered('lifeboat', 'backup', '--facts', '')).toEqual(['counts', 'fingerprints', 'none']);
    expect(await offered('lifeboat', 'backup', '--facts', 'f')).toEqual(['fingerprints']);
    expect(await offered('lifeboat', 'backup', '--facts', '=', 'n')).toEqual(['none']);
    expect(await offered('lifeboat', 'backup', '--facts', '=')).toEqual(['counts', 'fingerprints', 'none']);
  });

  it('completes files where a file is read, and nothing where a value is free', async () => {
    expect(await offered('lifeboat', 'backup', '--database-url-file', 'or')).toEqual(['orders.url']);
    expect(await offered('lifeboat', 'backup', '--source', 'or')).toEqual([]);
  });
});

it.each(['zsh', 'fish'])('names every command and every flag for %s', (shell) => {
  const script = completionFor(shell, commands);
  for (const name of Object.keys(commands)) expect(script).toContain(name);
  for (const flag of ['keep-daily', 'age-identity-file', 'as-of']) expect(script).toContain(flag);
  expect(script).not.toMatch(/database-url[^-]/);
});

it.each([undefined, 'tcsh'])('says which shells there are when it is %s', (shell) => {
  expect(() => completionFor(shell, commands)).toThrow(
    expect.objectContaining({ code: 'invalid-input', hint: expect.stringContaining('bash, zsh, fish') }),
  );
});
