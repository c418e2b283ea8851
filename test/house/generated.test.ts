import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { actionFile, inputsTable, outputsTable, rootFile } from '../../scripts/action-files.ts';
import { setupTemplates } from '../../scripts/setup-templates.ts';
import { type Action, actions } from '../../src/actions/index.ts';
import { flag, text } from '../../src/github/inputs.ts';
import { tool } from '../../src/tool.ts';
import { root } from './source-files.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const all = Object.entries<Action>(actions);

describe('what is committed is what the schemas give', () => {
  it.each(all)('%s/action.yml', (name, action) => {
    expect(read(`${name}/action.yml`)).toBe(actionFile(name, action));
  });

  it('action.yml of the root', () => {
    expect(read('action.yml')).toBe(rootFile(actions));
  });

  it.each(all)('the tables of %s in the README', (_name, action) => {
    expect(read('README.md')).toContain(inputsTable(action));
    expect(read('README.md')).toContain(outputsTable(action));
  });

  it.each(Object.entries(setupTemplates()))('%s, which `lifeboat init` writes from', (path, text) => {
    expect(read(path)).toBe(text);
  });

  it('the version', () => {
    const { name, version } = JSON.parse(read('package.json')) as { name: string; version: string };
    expect(tool).toEqual({ name, version });
  });
});

it('lets the environment win over defaults: only the token has a `default:`, only `command` is `required: true`', () => {
  for (const path of ['action.yml', ...all.map(([name]) => `${name}/action.yml`)]) {
    const { inputs, runs } = parse(read(path)) as { inputs: Record<string, { default?: string }>; runs: object };
    const required = Object.entries(inputs).filter(([, input]) => 'required' in input);
    expect(required.map(([name]) => name)).toEqual(path === 'action.yml' ? ['command'] : []);
    const defaults = Object.entries(inputs).flatMap(([name, input]) =>
      'default' in input ? [[name, input.default]] : [],
    );
    expect(defaults).toEqual([['github-token', '${{ github.token }}']]);
    expect(runs).toMatchObject({ using: 'node24', 'post-if': 'always()' });
  }
});

it('gives every action a sentence, and every output one too', () => {
  for (const [, { description, outputs }] of all) {
    for (const sentence of [description, ...Object.values(outputs)]) expect(sentence).toMatch(/^[A-Z`].*\.$/s);
  }
});

const made = (inputs: z.ZodObject): Action => ({
  description: 'Does it.',
  inputs,
  outputs: {},
  run: () => Promise.reject(new Error('never run')),
});

it('refuses two actions that describe one input differently', () => {
  const one = made(z.strictObject({ backup: text('An id.') }));
  const two = made(z.strictObject({ backup: text('A path.') }));
  expect(() => rootFile({ one, two })).toThrow('Input "backup" differs between one and two');
  expect(() => rootFile({ one, two: one })).not.toThrow();
});

it('says of an input: meaning, values, default, environment, requirement, replacement', () => {
  const inputs = z.strictObject({
    store: text("Where it's kept.", { env: true }),
    'dry-run': flag('Only shows | the plan.').prefault('false'),
    old: text('Old.', { deprecationMessage: 'Use `new`.' }).optional(),
    token: text('A token.', { actionDefault: '${{ github.token }}' }).optional(),
  });
  const file = parse(actionFile('one', made(inputs))) as { inputs: Record<string, { description: string }> };
  expect(file.inputs).toEqual({
    store: { description: "Where it's kept. Required. May come from `LIFEBOAT_STORE`." },
    'dry-run': { description: 'Only shows | the plan. One of `true`, `false`. Default: `false`.' },
    old: { description: 'Old. Use `new`.', deprecationMessage: 'Use `new`.' },
    token: { description: 'A token.', default: '${{ github.token }}' },
  });
  expect(inputsTable(made(inputs)).split('\n')[3]).toBe(
    '| `dry-run` | `false` | Only shows \\| the plan. One of `true`, `false`. |',
  );
  expect(inputsTable(made(inputs)).split('\n')[5]).toBe('| `token` | `${{ github.token }}` | A token. |');
});
