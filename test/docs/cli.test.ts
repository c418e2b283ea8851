import { describe, expect, it } from 'vitest';
import { fillCommands } from '../../scripts/commands-table.ts';
import { type Action, isActionName } from '../../src/actions/index.ts';
import { commands, isCommandName } from '../../src/commands/index.ts';
import { splitWords } from '../../src/core/words.ts';
import { parseFlags } from '../../src/flags.ts';
import { parseInputs } from '../../src/github/inputs.ts';
import { blocksIn, readDocument } from './documents.ts';

const page = readDocument('docs/CLI.md');
const typed = blocksIn(page, 'bash')
  .flatMap((block) => block.trim().split('\n'))
  .map((line) => line.replace(/ [|>] .*$/, ''));

it('has the table that the commands give', () => {
  expect(fillCommands(page.text)).toBe(page.text);
  expect(() => fillCommands('no place')).toThrow('has no place');
});

describe('every line of the page', () => {
  it('is one of ours', () => {
    expect(typed.length).toBeGreaterThan(10);
    expect(typed.filter((line) => !line.startsWith('lifeboat '))).toEqual([]);
  });

  it.each(typed.filter((line) => !line.includes('completion')))('can be typed: %s', (line) => {
    const [, name = '', ...words] = splitWords(line.replaceAll('/etc/lifeboat/age.key', '/dev/null'));
    expect(isCommandName(name) || isActionName(name)).toBe(true);
    const { inputs, positional }: Action = commands[name as keyof typeof commands];
    const given = Object.entries(parseFlags(words, inputs, positional).given);
    expect(() => parseInputs(inputs, Object.fromEntries(given))).not.toThrow();
  });
});
