import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Action } from '../../src/actions/index.ts';
import { inputs as prune } from '../../src/actions/prune.ts';
import * as adopt from '../../src/commands/adopt.ts';
import * as copy from '../../src/commands/copy.ts';
import { thawCommand } from '../../src/core/archived.ts';
import { parseFlags } from '../../src/flags.ts';
import { parseInputs } from '../../src/github/inputs.ts';

const document = readFileSync(new URL('../../docs/COPIES.md', import.meta.url), 'utf8');
const commands: Readonly<Record<'adopt' | 'copy', Pick<Action, 'inputs' | 'positional'>>> = { adopt, copy };

it('shows lines that the commands take', () => {
  const lines = document.split('\n').filter((line) => line.startsWith('lifeboat '));
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) {
    const [, name, ...words] = line.split(' ') as ['lifeboat', 'adopt' | 'copy', ...string[]];
    const { inputs, positional } = commands[name];
    expect(() => parseInputs(inputs, parseFlags(words, inputs, positional).given), line).not.toThrow();
  }
});

it('shows a step that prune takes', () => {
  const [, step = ''] = /with:\n([\s\S]*?)```/.exec(document) ?? [];
  const given = Object.fromEntries(
    step
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/: (.*)/, 2)),
  );
  expect(parseInputs(prune, given)).toMatchObject({ 'archive-after': 60 * 86_400_000, 'archive-class': 'GLACIER_IR' });
});

it('shows the line that thaws as the program prints it', () => {
  const key = 'orders/20260921T031500Z-3f9a1c/database.dump.zst';
  expect(document).toContain(`\n${thawCommand('s3://acme-backups/prod', key)}\n`);
});
