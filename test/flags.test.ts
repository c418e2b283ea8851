import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commands } from '../src/commands/index.ts';
import { asFlags, parseFlags } from '../src/flags.ts';
import { common } from '../src/github/inputs/every-action.ts';
import { choice, flag, text } from '../src/github/inputs.ts';

const schema = z.strictObject({
  store: common.store,
  'dry-run': flag('Only shows the plan.').prefault('false'),
  facts: choice(['counts', 'none'], 'What is recorded.').prefault('counts'),
  'age-identity': text('Secret key.', { secret: true, env: true }).optional(),
});
const given = (...words: string[]) => parseFlags(words, schema).given;

it('reads values beside and behind the equals sign, switches, and repeated flags as lines', () => {
  expect(given('--store', 'file:///a', '--facts=none', '--store=file:///b', '--dry-run')).toEqual({
    store: 'file:///a\nfile:///b',
    facts: 'none',
    'dry-run': 'true',
  });
  expect(given('--dry-run=false', '--store', '--odd')).toEqual({ 'dry-run': 'false', store: '--odd' });
});

it('refuses a second value where there can be one only, and names the flag', () => {
  const twice = (...words: string[]) => expect(() => given(...words));
  twice('--facts', 'counts', '--facts', 'none').toThrow('--facts was given twice.');
  twice('--dry-run', '--dry-run=false').toThrow('--dry-run was given twice.');
  twice('--age-identity-file', '/dev/null', '--age-identity-file', '/dev/null').toThrow(
    '--age-identity was given twice.',
  );
});

it('takes `true` or `false` behind a switch as its value, and no other word', () => {
  expect(given('--dry-run', 'false', '--store', 'a')).toEqual({ 'dry-run': 'false', store: 'a' });
  expect(() => given('--dry-run', 'no')).toThrow('"no" is no flag');
});

it('guesses what a mistyped flag was meant to be', () => {
  expect(() => given('--stoer', 'x')).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^Did you mean `--store`\?/) }),
  );
});

it('keeps what concerns the terminal apart from inputs', () => {
  expect(parseFlags(['--dry-run', '--json', '--debug'], schema)).toEqual({
    given: { 'dry-run': 'true' },
    json: true,
    debug: true,
    help: false,
  });
  expect(parseFlags(['-h'], schema).help).toBe(true);
});

it('refuses a secret as a flag and names the two ways there are', () => {
  expect(() => given('--age-identity', 'AGE-SECRET-KEY-1X')).toThrow(
    expect.objectContaining({
      message: '--age-identity is a secret and cannot be a flag.',
      hint: expect.stringMatching(/LIFEBOAT_AGE_IDENTITY .*--age-identity-file PATH/),
    }),
  );
});

it('reads a secret from a file, without its last line end', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'lifeboat-')), 'key');
  writeFileSync(path, '# comment\nAGE-SECRET-KEY-1X\n');
  expect(given('--age-identity-file', path)).toEqual({ 'age-identity': '# comment\nAGE-SECRET-KEY-1X' });
  expect(() => given('--age-identity-file', '/nonexistent/key')).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/cannot be read: \/nonexistent\/key/),
      hint: expect.stringContaining('may read the file'),
    }),
  );
});

it.each([
  [['--stoer', 'x'], /no flag --stoer/],
  [['--stoer-file', 'x'], /no flag --stoer-file/],
  [['store'], /"store" is no flag/],
  [['--store'], /--store has no value/],
])('refuses %j', (words, message) => {
  expect(() => given(...words)).toThrow(message);
});

describe('inputs without their names', () => {
  const placed = (...words: string[]) =>
    parseFlags(words, z.strictObject({ id: text('An id.'), ...schema.shape }), ['id']).given;

  it('takes the first word that is no flag, wherever it stands', () => {
    expect(placed('20261121T031500Z-3f9a1c', '--facts', 'none')).toEqual({
      id: '20261121T031500Z-3f9a1c',
      facts: 'none',
    });
    expect(placed('--dry-run', 'x')).toEqual({ 'dry-run': 'true', id: 'x' });
    expect(placed('--dry-run', 'true', 'x')).toEqual({ 'dry-run': 'true', id: 'x' });
    expect(placed('--id', 'x')).toEqual({ id: 'x' });
  });

  it('refuses one more, and one that was given by name as well', () => {
    expect(() => placed('x', 'y')).toThrow('"y" is no flag');
    expect(() => placed('x', '--id', 'y')).toThrow('--id was given twice.');
    expect(() => placed('-x')).toThrow('"-x" is no flag');
  });
});

it('names no variable for a secret that has none', () => {
  const hidden = z.strictObject({ 'target-url': text('A URL.', { secret: true }) });
  expect(() => parseFlags(['--target-url', 'x'], hidden)).toThrow(
    expect.objectContaining({ hint: 'Give a file with `--target-url-file PATH`.' }),
  );
});

it('says a hint as it is typed, and leaves alone what is no input here', () => {
  const restore = commands.restore.inputs;
  const hint =
    'Give `confirm: orders`, `create-roles: true` or `safety-backup: false`; look at `target-url`, and back up with `facts: counts`.';
  expect(asFlags(hint, restore)).toBe(
    'Give `--confirm orders`, `--create-roles` or `--safety-backup=false`; look at `--target-url-file`, and back up with `facts: counts`.',
  );
});
